/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder.h"

#include "ccall.h"
#include "clock.h"
#include "code.h"
#include "demand.h"
#include "follow.h"
#include "monitor.h"
#include "watcher.h"

/* set_events() counts its calls in 24 bits for the life of the process (cpython #141845). */
#define FLAP_NS 100000000u

static uint64_t s_stopped_ns; /* when the events went last; under the GIL */

static void nothing(struct thread *thread, void *unused) {
    (void)thread, (void)unused;
}

int recorder_start(const struct recorder_wishes *wishes) {
    int error;

    if (wishes->c_calls && !ccall_works)
        return MONITOR_REFUSED;
    thread_allow(wishes->max_nodes);
    code_set_recorded(wishes->only, wishes->exclude);
    demand_read(DEMAND_RECORDER | (wishes->c_calls ? DEMAND_C_CALLS : 0));
    error = watcher_update();
    if (error < 0)
        recorder_stop();
    else
        thread_each(true, nothing, NULL);
    return error;
}

void recorder_stop(void) {
    uint64_t now = clock_monotonic_ns();

    demand_read(0);
    if (now - s_stopped_ns < FLAP_NS)
        return;
    s_stopped_ns = now;
    watcher_update();
    thread_allow(0);
}
