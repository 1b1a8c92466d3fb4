/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher.h"

#include <Python.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "callback.h"
#include "clock.h"
#include "code.h"
#include "demand.h"
#include "flush.h"
#include "follow.h"
#include "gc.h"
#include "gil.h"
#include "live.h"
#include "monitor.h"
#include "notice.h"
#include "osthread.h"
#include "recorder.h"
#include "remote.h"
#include "retell.h"
#include "thread.h"

/* How often the monitor tries again what it could not apply, and sees that our tool id is ours. */
enum { AGAIN_MSEC = 1000 };

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
static _Atomic int s_again_msec; /* until the next time */

/* Have all follow the demand. GIL held. */
static int apply(probe_mask watched) {
    event_mask before = monitor_is_robbed() ? 0 : monitor_events();
    probe_mask fresh = watched & ~s_applied;
    int error;

    /* Before the events are on: the first one may already be followed. */
    follow_apply(watched);
    batch_apply(watched);
    gc_apply(watched);
    callback_apply(watched);
    error = monitor_apply(demand_of(watched));
    if (error < 0 && error != MONITOR_EARLY && (!s_refused || s_refused == MONITOR_EARLY))
        notice_refusal(error);
    s_refused = error;
    s_again_msec = error == MONITOR_EARLY ? 0 : AGAIN_MSEC;
    s_applied = error < 0 ? 0 : watched;
    follow_adopt_all();
    retell_apply(fresh);
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

static void attend_to_others(void) {
    if (!live_requested() && !remote_is_over())
        return;
    if (!gil_take())
        return;
    if (!stopping() && live_requested())
        live_answer();
    if (!stopping() && remote_is_over())
        remote_end();
    gil_give();
}

static bool again_is_due(void) {
    s_again_msec -= s_tick_msec;
    return s_again_msec <= 0;
}

/* One look. No GIL unless something is to be done. */
static void look(void) {
    probe_mask target = steady(demand_now()), now;
    bool retell = retell_is_due(s_applied, s_tick_msec), stale = batch_look();
    bool again = target && again_is_due();
    bool news = target != s_applied || retell || stale || follow_has_news();

    if (!again && (!news || s_refused))
        return;
    if (!gil_take())
        return; /* the next look sees the same */
    /* While this waited for the GIL a reader inside may have come, who is heard at once, and a
     * tracer gone, for whom nothing is switched on. */
    now = demand_now();
    target = (target & (now | s_applied) & ~DEMAND_READERS) | (now & DEMAND_READERS);
    if (!stopping() && stale)
        batch_tell_stale();
    if (again)
        s_again_msec = AGAIN_MSEC;
    if (!stopping() && (target != s_applied || monitor_is_robbed()))
        apply(target);
    else if (!stopping() && retell)
        retell_all();
    else if (!stopping())
        follow_tell(false);
    gil_give();
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
    pthread_mutex_lock(&s_lock);
    for (;;) {
        sleep_until_next();
        if (s_stop || osthread_is_last())
            break;
        pthread_mutex_unlock(&s_lock);
        attend_to_others();
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
        flush_attend(true); /* a signal that comes meanwhile waits for the thread */
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
    batch_tell_all();
    code_replay(); /* whoever counts by id names what it has counted once more */
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
    recorder_postfork_child();
    remote_postfork_child();
    follow_postfork_child();
    flush_postfork_child();
    /* The child may be over before the first tick. */
    if (follow_has_news())
        follow_tell(false);
    live_postfork_child();
    watcher_publish();
    start_if_wanted();
}
