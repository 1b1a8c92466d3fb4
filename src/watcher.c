/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher.h"

#include <Python.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "callback.h"
#include "clock.h"
#include "code.h"
#include "demand.h"
#include "flush.h"
#include "follow.h"
#include "gc.h"
#include "live.h"
#include "monitor.h"
#include "notice.h"
#include "osthread.h"
#include "thread.h"

/* When the monitor could not apply: how long until the next try. */
enum { RETRY_MSEC = 1000 };

/* Code objects and threads are told again and again while a tracer watches: one that comes while
 * another is there does not show in the semaphore, and the first telling may have come between a
 * tracer's raising it and its program being in place. How often, and how much of the time at most.
 */
enum { RETELL_MSEC = 1000, RETELL_SHARE = 200 };

#define TOLD (PROBE_BIT(PROBE_code__new) | PROBE_BIT(PROBE_thread__state))

/* How often the start after a fork is put off for a hook that takes its time: about 10 ms of ours.
 * After that the program may be warned of a thread. */
enum { FORK_WAITS = 20000 };

/* Who starts and stops holds this one, without the GIL (it waits for a thread that may want it). */
static pthread_mutex_t s_lifecycle = PTHREAD_MUTEX_INITIALIZER;
static pthread_t s_thread;
static bool s_running; /* under s_lifecycle */
static pid_t s_tid;    /* written by the thread as it begins, read when it has been joined */

/* Between the thread and who stops it. */
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_wake; /* on CLOCK_MONOTONIC */
static bool s_stop;           /* under s_lock */

/* Written under the GIL. */
static bool s_wanted;  /* watcher_start() was called, and watcher_stop() not since */
static int s_forking;  /* threads that are between prefork and postfork */
static int s_waits;    /* times that the start after a fork was put off */
static void *s_forker; /* the frame of the main thread that forks; only ever compared */

/* Written under the GIL, read by the thread without it. */
static _Atomic probe_mask s_applied; /* the demand that all is set up for */
static _Atomic int s_refused;        /* why the monitor could not apply the last demand, or 0 */

/* The thread's own; watcher_start() writes them while there is no thread. */
static probe_mask s_last; /* what the last look saw watched */
static int s_tick_msec;   /* how long the last sleep was to be */

/* Counted down by the thread, without the GIL; set again by whoever applies a demand. */
static _Atomic int s_retry_msec;  /* until the next try, while refused */
static _Atomic int s_retell_msec; /* until code objects and threads are told again, while watched */

/* GIL held. */
static void tell_known(void) {
    uint64_t begin_ns = clock_monotonic_ns();
    int pause;

    if (probe_on(PROBE_code__new))
        code_replay();
    if (probe_on(PROBE_thread__state))
        follow_tell(true);
    pause = (int)((clock_monotonic_ns() - begin_ns) / 1000000 * RETELL_SHARE);
    s_retell_msec = pause > RETELL_MSEC ? pause : RETELL_MSEC;
}

static bool retelling_is_due(void) {
    if (!(s_applied & TOLD))
        return false;
    s_retell_msec -= s_tick_msec;
    return s_retell_msec <= 0;
}

/* Have all follow the demand. GIL held. */
static int apply(probe_mask watched) {
    event_mask before = monitor_events();
    probe_mask fresh = watched & ~s_applied;
    int error;

    /* Before the events are on: the first one may already be followed. */
    follow_apply(watched);
    gc_apply(watched);
    callback_lean((watched & ~DEMAND_C_CALLS) == DEMAND_RECORDER);
    error = monitor_apply(demand_of(watched));
    if (error < 0 && error != MONITOR_EARLY && (!s_refused || s_refused == MONITOR_EARLY))
        notice_refusal(error);
    s_refused = error;
    s_retry_msec = error == MONITOR_EARLY ? 0 : RETRY_MSEC;
    s_applied = error < 0 ? 0 : watched;
    follow_adopt_all();
    if (fresh & TOLD) {
        tell_known();
        s_retell_msec = 0; /* again at the next look: a program may be held only that long */
    }
    notice_change(before, monitor_events());
    return error;
}

/* A probe's events go off only when two looks in a row did not see it watched: set_events() counts
 * its calls in 24 bits for the life of the process (cpython #141845), and a tracer that attaches
 * probe by probe should not make it flap. */
static probe_mask steady(probe_mask watched) {
    probe_mask target = watched | (s_last & s_applied);

    s_last = watched;
    return target;
}

static bool stopping(void) {
    bool stop;

    pthread_mutex_lock(&s_lock);
    stop = s_stop;
    pthread_mutex_unlock(&s_lock);
    return stop;
}

/* What others see of us is as of the last tick. No GIL. */
static void publish(bool running) {
    static const uint32_t why[] = {
        [-MONITOR_NO_TOOL] = PYUSDT_DORMANT_NO_TOOL,
        [-MONITOR_REFUSED] = PYUSDT_DORMANT_REFUSED,
        [-MONITOR_JIT] = PYUSDT_DORMANT_JIT,
        [-MONITOR_EARLY] = PYUSDT_DORMANT_NOT,
    };

    live_publish(running ? PYUSDT_WATCHER_RUNNING : PYUSDT_WATCHER_STOPPED, why[-s_refused]);
}

static void answer_request(void) {
    PyGILState_STATE state = PyGILState_Ensure();

    if (!stopping())
        live_answer();
    PyGILState_Release(state);
}

/* One look. No GIL unless something is to be done. */
static void look(void) {
    probe_mask target = steady(demand_now());
    bool retell = retelling_is_due();
    PyGILState_STATE state;

    if (live_requested())
        answer_request();
    if (s_refused && target) {
        s_retry_msec -= s_tick_msec;
        if (s_retry_msec > 0)
            return;
    } else if (target == s_applied && !retell && !follow_has_news()) {
        return;
    }
    state = PyGILState_Ensure();
    /* While this waited for the GIL a reader inside may have come, who is heard at once. */
    target = (target & ~DEMAND_READERS) | (demand_now() & DEMAND_READERS);
    if (!stopping() && target != s_applied)
        apply(target);
    else if (!stopping() && retell)
        tell_known();
    else if (!stopping())
        follow_tell(false);
    PyGILState_Release(state);
}

static void sleep_until_next(void) {
    struct timespec at;
    int msec = s_tick_msec = live_check_msec();

    if (flush_is_set() && msec > FLUSH_TICK_MSEC)
        msec = FLUSH_TICK_MSEC;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += msec / 1000;
    at.tv_nsec += msec % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    while (!s_stop && pthread_cond_timedwait(&s_wake, &s_lock, &at) != ETIMEDOUT)
        ;
}

static void *watch(void *unused) {
    s_tid = gettid();
    thread_is_ours();
    flush_attend(true);
    pthread_mutex_lock(&s_lock);
    for (;;) {
        sleep_until_next();
        if (s_stop || osthread_is_last())
            break;
        pthread_mutex_unlock(&s_lock);
        look();
        publish(true);
        clock_refine();
        flush_tick();
        pthread_mutex_lock(&s_lock);
    }
    pthread_mutex_unlock(&s_lock);
    return unused;
}

static int init_wake(void) {
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error)
        return error;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    error = pthread_cond_init(&s_wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return error;
}

/* Signals belong to the program's threads: the new thread inherits a full mask. */
static int create_thread(void) {
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&s_thread, NULL, watch, NULL);
    if (!error)
        pthread_setname_np(s_thread, "pyusdt");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* 0 or an errno. No GIL. */
static int start_thread(void) {
    int error = 0;

    pthread_mutex_lock(&s_lifecycle);
    if (!s_running) {
        s_stop = false;
        error = init_wake();
        if (!error) {
            error = create_thread();
            s_running = !error;
            if (error)
                pthread_cond_destroy(&s_wake);
        }
    }
    pthread_mutex_unlock(&s_lifecycle);
    return error;
}

/* No GIL: the thread may be waiting for it. */
static void join_thread(void) {
    pthread_mutex_lock(&s_lifecycle);
    if (s_running) {
        pthread_mutex_lock(&s_lock);
        s_stop = true;
        pthread_cond_signal(&s_wake);
        pthread_mutex_unlock(&s_lock);
        pthread_join(s_thread, NULL);
        osthread_await_gone(s_tid);
        pthread_cond_destroy(&s_wake);
        s_running = false;
    }
    pthread_mutex_unlock(&s_lifecycle);
}

/* Unless somebody is about to fork. 0 or an errno. */
static int start_if_wanted(void) {
    int error = 0;

    if (osthread_is_main())
        osthread_watch_main();
    if (s_wanted && !s_forking) {
        Py_BEGIN_ALLOW_THREADS error = start_thread();
        Py_END_ALLOW_THREADS
    }
    if (error)
        flush_attend(false);
    return error;
}

static void stop_thread(void) {
    Py_BEGIN_ALLOW_THREADS join_thread();
    Py_END_ALLOW_THREADS
}

int watcher_start(void) {
    int error;

    if (s_wanted)
        return 0;
    s_wanted = true;
    s_last = demand_now();
    apply(s_last);
    error = start_if_wanted();
    watcher_publish();
    if (!error)
        return 0;
    s_wanted = false;
    apply(0);
    PyErr_Format(PyExc_RuntimeError, "pyusdt: cannot start the watcher thread: %s",
                 strerror(error));
    return -1;
}

int watcher_update(void) {
    /* Probes that are on stay on: when those go is for the watcher to say. */
    return s_wanted ? apply((s_applied & ~DEMAND_READERS) | demand_now()) : 0;
}

void watcher_stop(void) {
    if (!s_wanted)
        return;
    s_wanted = false;
    stop_thread();
    flush_attend(false);
    apply(0);
    watcher_publish();
}

void watcher_publish(void) {
    publish(s_wanted);
}

void watcher_prefork(void) {
    s_forking++;
    if (osthread_is_main())
        s_forker = PyEval_GetFrame();
    stop_thread();
}

/* Does the frame that forks wait for what runs now? Then this is a hook that comes after ours. */
static bool os_fork_runs(void) {
    PyObject *frame = Py_XNewRef((PyObject *)PyEval_GetFrame());
    int depth = 0;

    for (; frame && frame != s_forker; depth++) {
        PyObject *caller = PyObject_GetAttrString(frame, "f_back"); /* None has none */

        Py_DECREF(frame);
        frame = caller;
    }
    PyErr_Clear();
    Py_XDECREF(frame);
    return frame && depth > 0;
}

static int start_pending(void *unused) {
    bool wait = s_waits++ < FORK_WAITS && os_fork_runs();

    if (!wait || Py_AddPendingCall(start_pending, unused) < 0)
        start_if_wanted();
    return 0;
}

/* A thread that cannot be had again leaves the events as they are; there is nobody to tell.
 *
 * Python 3.13 counts the threads, to warn of fork, after it has called this hook. The main thread
 * runs what is pending when os.fork() has returned, or a hook of somebody else's in between; a fork
 * elsewhere is warned of anyway. */
void watcher_postfork_parent(void) {
    if (s_forking)
        s_forking--;
    s_waits = 0;
    if (!osthread_is_main() || Py_AddPendingCall(start_pending, NULL) < 0)
        start_if_wanted();
}

/* Other threads of the parent may have held the locks; they are not here to give them back. */
void watcher_postfork_child(void) {
    pthread_mutex_init(&s_lifecycle, NULL);
    pthread_mutex_init(&s_lock, NULL);
    s_running = false;
    s_forking = 0;
    thread_postfork_child();
    follow_postfork_child();
    flush_postfork_child();
    /* The child may be over before the first tick. */
    if (follow_has_news())
        follow_tell(false);
    live_postfork_child();
    watcher_publish();
    start_if_wanted();
}
