/* SPDX-License-Identifier: Apache-2.0 */
#include "control/wait_tracer.h"

#include <Python.h>
#include <time.h>

#include "base/clock.h"
#include "probe/probes.h"

/* How often it polls, and how long the set of watched probes must stay the same. */
enum { POLL_MSEC = 5, SETTLE_MSEC = 250 };

static void doze(void) {
    const struct timespec pause = {0, POLL_MSEC * 1000000L};

    Py_BEGIN_ALLOW_THREADS;
    nanosleep(&pause, NULL);
    Py_END_ALLOW_THREADS;
}

static double now_seconds(void) {
    return (double)clock_monotonic_ns() / 1e9;
}

int wait_tracer(double seconds) {
    double begin = now_seconds(), changed = begin, now = begin;
    probe_mask last = 0;

    for (;;) {
        probe_mask watched = probes_watched();

        if (watched != last)
            changed = now;
        last = watched;
        if (watched && now - changed >= SETTLE_MSEC / 1e3)
            return 1;
        if (!watched && seconds >= 0 && now - begin >= seconds)
            return 0;
        doze();
        if (PyErr_CheckSignals() < 0)
            return -1;
        now = now_seconds();
    }
}
