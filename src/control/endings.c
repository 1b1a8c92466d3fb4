/* SPDX-License-Identifier: Apache-2.0
 *
 * What is recorded is written before a signal ends the process. That cannot wait for the main
 * thread, which may be blocked for hours in C code, nor for the watcher, which may wait for the
 * GIL: a thread of its own does it.
 *
 * Signals. Our handler is installed only where the default action is in effect, so a program's own
 * handler always wins. The program may change it at any time: where it does so by signal.signal(),
 * ours is there again when that returns; for all other ways the thread looks at every tick. The
 * handler is in C, not Python's: signal.getsignal() still shows the default, and no Python code has
 * to run for it. It notes the signal and wakes the thread, which writes, restores the default
 * action and raises the signal again, so the process ends by that very signal, and its parent sees
 * so. More signals meanwhile (a terminal that closes sends two SIGHUPs, and timeout(1) two
 * SIGTERMs) change nothing: the process is ending already. One that comes when PATIENCE_NS are
 * over, or when there is no thread, takes effect at once. A thread of the program that cannot go
 * on, because its pipe is broken or it has aborted, waits in the handler for the end.
 *
 * The GIL. Another thread asks for it, so that this one can write without it ("blind") when C code
 * has kept it for GIL_NS.
 *
 * Locks. s_exchange is held for some system calls, and nothing else is taken under it. s_callback
 * is written under the GIL; s_running and s_thread under the watcher's lock of its own life, which
 * calls start and stop. s_signal is written by the handler, which may run in any thread of the
 * program; it is one lock-free word, as a handler may take no lock.
 *
 * Fork. The child inherits the handler and s_signal. The word holds the process id beside the
 * signal's number, so the child does not take the parent's signal for its own, and keeps one that
 * arrives before any of its own code runs.
 */
#include "control/endings.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/osthread.h"
#include "capture/thread.h"
#include "control/save.h"
#include "control/save_lock.h"
#include "python/gil.h"
#include "python/stand_in.h"

/* Those whose default action ends the process, except for the ones of broken code, whose thread
 * must not be kept from its core dump, and those that cannot be caught. */
static const struct ending {
    const char *name;
    int number;
    bool stuck; /* the thread that has it cannot go on */
} s_endings[] = {
    {"SIGTERM", SIGTERM, false},     {"SIGHUP", SIGHUP, false},   {"SIGINT", SIGINT, false},
    {"SIGQUIT", SIGQUIT, false},     {"SIGALRM", SIGALRM, false}, {"SIGUSR1", SIGUSR1, false},
    {"SIGUSR2", SIGUSR2, false},     {"SIGPIPE", SIGPIPE, true},  {"SIGABRT", SIGABRT, true},
    {"SIGVTALRM", SIGVTALRM, false}, {"SIGPROF", SIGPROF, false}, {"SIGXCPU", SIGXCPU, false},
};
enum { ENDINGS = sizeof s_endings / sizeof *s_endings };

enum { TICK_MSEC = 100 };

#define PATIENCE_NS UINT64_C(8000000000)
#define GIL_NS UINT64_C(1000000000)

static PyObject *s_callback; /* owned; written under the GIL */

static PyObject *s_set_signal; /* owned, for ever: the original; written under the GIL */
static pthread_mutex_t s_exchange = PTHREAD_MUTEX_INITIALIZER;
static int s_setting; /* calls of signal.signal() that are under way; under s_exchange */

static _Atomic uint64_t s_signal;   /* see pending(); written by the handler */
static _Atomic uint64_t s_since_ns; /* when it came */

static pthread_t s_thread;
static bool s_running;          /* written by who starts and stops it: one at a time */
static pid_t s_tid;             /* of the thread; valid once it has been joined */
static sem_t s_wake;            /* valid while s_attended */
static _Atomic bool s_attended; /* the thread is there, or will be soon */
static _Atomic bool s_stop;
static _Atomic pid_t s_ender; /* the thread, while it ends the process */

/* See endings_hold(). */
static _Thread_local int t_holds;
static _Thread_local sigset_t t_held;

/* Of the last writing. WAITING: for the GIL. */
enum { WAITING, WRITING, BLIND, DONE };
static _Atomic int s_state;

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

static void pause_briefly(void) {
    struct timespec time = {0, 5000000};

    nanosleep(&time, NULL);
}

static bool is_impatient(void) {
    return clock_monotonic_ns() - s_since_ns > PATIENCE_NS;
}

static const struct ending *ending_of(int number) {
    int i = 0;

    while (i < ENDINGS - 1 && s_endings[i].number != number)
        i++;
    return &s_endings[i];
}

/* Async-signal-safe, as all that it calls is. */
static void handle(int number) {
    bool stuck = ending_of(number)->stuck;
    int error = errno;

    if (!s_attended || gettid() == s_ender || (pending() && is_impatient()))
        obey(number);
    if (!pending()) {
        s_since_ns = clock_monotonic_ns();
        s_signal = (uint64_t)getpid() << 8 | (uint64_t)number;
        sem_post(&s_wake);
    }
    while (stuck && !is_impatient())
        pause_briefly();
    if (stuck)
        obey(number);
    errno = error;
}

static bool is_handler(const struct sigaction *action, void (*handler)(int)) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == handler;
}

/* Code that is not Python's may install a handler between our look at what is there and our change
 * of it: then that is put back. */
static void exchange_one(int number, void (*from)(int), void (*to)(int)) {
    struct sigaction there, wanted = {.sa_handler = to, .sa_flags = SA_RESTART}, put;

    if (sigaction(number, NULL, &there) < 0 || !is_handler(&there, from) ||
        sigaction(number, &wanted, &there) < 0 || is_handler(&there, from))
        return;
    do {
        put = there;
        if (sigaction(number, &put, &there) < 0)
            return;
    } while (!is_handler(&there, to));
}

/* Replace one handler by another, where the first is in effect. Under s_exchange. */
static void exchange(void (*from)(int), void (*to)(int)) {
    for (int i = 0; i < ENDINGS; i++)
        exchange_one(s_endings[i].number, from, to);
}

/* The same, unless the program is in the middle of signal.signal(), which does it at its end. */
static void exchange_now(void (*from)(int), void (*to)(int)) {
    pthread_mutex_lock(&s_exchange);
    if (!s_setting)
        exchange(from, to);
    pthread_mutex_unlock(&s_exchange);
}

/* Stands for _signal.signal(), which signal.signal() calls: where it has put the default back, ours
 * is there again before the program can bring a signal about. */
static PyObject *set_signal(PyObject *unused, PyObject *args) {
    PyObject *result, *error;

    (void)unused;
    pthread_mutex_lock(&s_exchange);
    s_setting++;
    pthread_mutex_unlock(&s_exchange);
    result = PyObject_Call(s_set_signal, args, NULL);
    error = PyErr_GetRaisedException();
    pthread_mutex_lock(&s_exchange);
    if (s_setting > 0) /* it is 0 in the child of a fork by a handler */
        s_setting--;
    if (s_attended)
        exchange(SIG_DFL, handle);
    pthread_mutex_unlock(&s_exchange);
    PyErr_SetRaisedException(error);
    return result;
}

/* Put it in the place of the original, for good. Without it, the tick is what there is. */
static void attend_to_setting(void) {
    static PyMethodDef method = {"signal", set_signal, METH_VARARGS, NULL};

    if (!s_set_signal)
        s_set_signal = stand_in_put("_signal", &method);
}

/* Whether it has a handler of the program's or of Python's, which may raise an exception in any
 * Python code of the main thread. */
static bool is_handled(int number) {
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 &&
           (action.sa_flags & SA_SIGINFO ||
            (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN &&
             action.sa_handler != handle));
}

void endings_hold(bool hold) {
    sigset_t handled, before;

    if (hold ? t_holds++ > 0 : t_holds == 0 || --t_holds > 0)
        return;
    if (!hold) {
        pthread_sigmask(SIG_UNBLOCK, &t_held, NULL);
        return;
    }
    sigemptyset(&handled);
    for (int i = 0; i < ENDINGS; i++)
        if (!s_endings[i].stuck && is_handled(s_endings[i].number))
            sigaddset(&handled, s_endings[i].number);
    t_held = handled;
    pthread_sigmask(SIG_BLOCK, &handled, &before);
    for (int i = 0; i < ENDINGS; i++)
        if (sigismember(&before, s_endings[i].number))
            sigdelset(&t_held, s_endings[i].number);
}

void endings_set(PyObject *callback) {
    PyObject *before = s_callback;

    s_callback = callback && callback != Py_None ? Py_NewRef(callback) : NULL;
    Py_XDECREF(before);
    if (s_callback)
        attend_to_setting();
}

static void call(const char *name) {
    PyObject *callback = Py_XNewRef(s_callback);
    PyObject *result = callback ? PyObject_CallFunction(callback, "s", name) : NULL;

    Py_XDECREF(result);
    Py_XDECREF(callback);
    PyErr_Clear();
}

/* The thread that asks for the GIL. When it comes too late it keeps it: the process is ending. */
static void *write_with_gil(void *number) {
    const char *name = ending_of((int)(intptr_t)number)->name;
    int waiting = WAITING;

    thread_is_ours();
    save_lock();
    if (save_take_gil() && atomic_compare_exchange_strong(&s_state, &waiting, WRITING)) {
        save_all_locked(name, false);
        save_unlock();
        call(name);
        s_state = DONE;
    }
    return NULL;
}

/* Until the state is another one than `state`, or for so long. */
static void wait_while(int state, uint64_t ns) {
    uint64_t end = clock_monotonic_ns() + ns;

    while (s_state == state && clock_monotonic_ns() < end)
        pause_briefly();
}

static void write_last(int number) {
    int waiting = WAITING;
    char why[64];
    pthread_t thread;

    s_state = WAITING;
    if (pthread_create(&thread, NULL, write_with_gil, (void *)(intptr_t)number) == 0)
        wait_while(WAITING, GIL_NS);
    if (!atomic_compare_exchange_strong(&s_state, &waiting, BLIND)) {
        wait_while(WRITING, PATIENCE_NS - GIL_NS);
        return;
    }
    snprintf(why, sizeof why, "%s, while C code kept the GIL", ending_of(number)->name);
    if (save_lock_blind(PATIENCE_NS - 2 * GIL_NS))
        save_all_locked(why, true);
}

static void tick(void) {
    int number = pending();

    exchange_now(SIG_DFL, handle);
    if (!number)
        return;
    s_ender = gettid();
    write_last(number);
    obey(number);
}

static void sleep_until_next(void) {
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += TICK_MSEC * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    while (sem_timedwait(&s_wake, &at) < 0 && errno == EINTR)
        ;
}

static void *attend(void *unused) {
    s_tid = gettid();
    osthread_ours_begins();
    while (!s_stop && !osthread_is_last()) {
        tick();
        sleep_until_next();
    }
    osthread_ours_ends();
    return unused;
}

/* Signals belong to the program's threads: the new ones inherit a full mask. */
void endings_start(void) {
    sigset_t all, before;

    if (s_running || sem_init(&s_wake, 0, 0) < 0)
        return;
    s_stop = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s_attended = s_running = pthread_create(&s_thread, NULL, attend, NULL) == 0;
    if (s_running)
        pthread_setname_np(s_thread, "pyusdt-end");
    if (s_running)
        exchange_now(SIG_DFL, handle); /* now: the thread may have its first turn much later */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* While it ends the process it is not to be waited for: it waits for the callback. */
void endings_stop(bool for_good) {
    if (s_ender && pending())
        return;
    if (for_good) {
        s_attended = false;
        exchange_now(handle, SIG_DFL);
    }
    if (!s_running)
        return;
    s_stop = true;
    sem_post(&s_wake);
    pthread_join(s_thread, NULL);
    osthread_await_gone(s_tid);
    s_running = false;
}

void endings_await(void) {
    while (s_running && pending() && !is_impatient())
        pause_briefly();
}

void endings_postfork_child(void) {
    pthread_mutex_init(&s_exchange, NULL);
    s_setting = 0;
    s_running = false;
}
