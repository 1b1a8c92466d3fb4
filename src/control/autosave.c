/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording is written now and then, and once more before SIGTERM or SIGHUP ends the process.
 * Neither can wait for the main thread, which may be blocked for hours in C code, so the watcher
 * calls the Python function that writes.
 *
 * Signals. Our handler is installed only where the default action is in effect, so a program's own
 * handler always wins; the watcher checks that at every tick, since the program may change it at
 * any time. The handler is in C, not Python's: signal.getsignal() still shows the default, and no
 * Python code has to run for it. It only notes the signal. At its next tick the watcher calls the
 * function, restores the default action and raises the signal again, so the process ends by that
 * very signal, and its parent sees so. A second signal meanwhile, or one when there is no watcher,
 * takes effect at once.
 *
 * Threads. autosave_set() runs under the GIL and replaces the callback; the watcher takes the GIL
 * only to call it. s_set and s_interval_ns are written under the GIL and read without it. s_signal
 * is written by the handler, which may run in any thread of the program; it is one lock-free word,
 * as a handler may take no lock.
 *
 * Fork. The child inherits the handler and s_signal. The word holds the process id beside the
 * signal's number, so the child does not take the parent's signal for its own, and keeps one that
 * arrives before any of its own code runs.
 */
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

static _Atomic uint64_t s_due_ns; /* written under the GIL, and by the watcher */
static _Atomic uint64_t s_signal; /* see pending(); written by the handler */
static _Atomic bool s_attended;   /* there is a watcher, or will be soon */

/* End the process by this signal. */
static void obey(int number) {
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

/* The signal that this process has received and not obeyed yet, 0: none. In the child of a fork
 * s_signal may hold the parent's, which the process id in it shows. */
static int pending(void) {
    uint64_t signal = s_signal;

    return signal >> 8 == (uint64_t)getpid() ? (int)(signal & 0xff) : 0;
}

/* Async-signal-safe, as all that obey() calls is. */
static void handle(int number) {
    if (!s_attended || pending())
        obey(number);
    s_signal = (uint64_t)getpid() << 8 | (uint64_t)number;
}

/* Replace one handler by another, where the first is in effect. The program may have installed its
 * own at any time. */
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
    int number = pending();

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
