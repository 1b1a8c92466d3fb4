/* SPDX-License-Identifier: Apache-2.0 */
#include "control/autosave.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "base/clock.h"
#include "python/gil.h"

static const int s_signals[] = {SIGTERM, SIGHUP};
enum { SIGNALS = sizeof s_signals / sizeof *s_signals };

static PyObject *s_callback; /* owned; written under the GIL */

/* Written under the GIL, read by the watcher without it. */
static _Atomic bool s_set;
static _Atomic uint64_t s_interval_ns; /* 0: never */

static _Atomic uint64_t s_due_ns; /* written by whoever sets it, then by the watcher */
static _Atomic uint64_t s_signal; /* that came: see came(); 0: none. Written by the handler */
static _Atomic bool s_attended;

static void obey(int number) {
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

/* The signal that came to this process, 0: none. One that its parent was told to obey is in the
 * memory of a forked child too, and must not be mistaken, nor one that came to the child forgotten:
 * so the process is noted with it. */
static int came(void) {
    uint64_t signal = s_signal;

    return signal >> 8 == (uint64_t)getpid() ? (int)(signal & 0xff) : 0;
}

/* Async-signal-safe, as all that obey() calls is. */
static void handle(int number) {
    if (!s_attended || came())
        obey(number);
    s_signal = (uint64_t)getpid() << 8 | (uint64_t)number;
}

/* The program may have set its own handler, or the default again, at any time. */
static void exchange(void (*from)(int), void (*to)(int)) {
    struct sigaction action, wanted = {.sa_handler = to, .sa_flags = SA_RESTART};

    for (int i = 0; i < SIGNALS; i++)
        if (sigaction(s_signals[i], NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO) &&
            action.sa_handler == from)
            sigaction(s_signals[i], &wanted, NULL);
}

static void set_due(void) {
    s_due_ns = s_interval_ns ? clock_monotonic_ns() + s_interval_ns : UINT64_MAX;
}

void autosave_set(PyObject *callback, double seconds) {
    PyObject *before = s_callback;

    s_callback = callback && callback != Py_None ? Py_NewRef(callback) : NULL;
    s_interval_ns = (uint64_t)(seconds * 1e9);
    set_due();
    s_set = s_callback;
    if (s_callback)
        exchange(SIG_DFL, handle);
    else
        exchange(handle, SIG_DFL);
    Py_XDECREF(before);
}

bool autosave_is_set(void) {
    return s_set;
}

static void call(int number) {
    PyObject *callback, *result;

    if (!gil_take())
        return;
    callback = Py_XNewRef(s_callback);
    result = callback ? PyObject_CallFunction(callback, "i", number) : NULL;
    Py_XDECREF(result);
    Py_XDECREF(callback);
    PyErr_Clear();
    gil_give();
}

void autosave_tick(void) {
    int number = came();

    if (!s_set)
        return;
    exchange(SIG_DFL, handle);
    if (!number && clock_monotonic_ns() < s_due_ns)
        return;
    call(number);
    set_due();
    if (number)
        obey(number);
}

void autosave_attend(bool attended) {
    s_attended = attended;
}

void autosave_postfork_child(void) {
    set_due();
}
