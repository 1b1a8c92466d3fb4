/* SPDX-License-Identifier: Apache-2.0
 *
 * A tracer raises a semaphore in our memory, and nothing calls us when it does. So one background
 * thread polls: every PYUSDT_CHECK_MSEC it computes the demand, compares it with what is applied,
 * and takes the GIL only if they differ or something else is due (a request of live control, a
 * replay, a batch that waits). A tick without work never waits for the GIL.
 *
 * Life. watcher_start() applies the demand at once, then starts the thread; watcher_stop() joins it
 * and disables all events. An exit handler stops it before finalization begins, because asking for
 * the GIL after that hangs or kills a thread. A program that clears the exit handlers keeps the
 * thread to the end: gil_take() then fails, and the tick does nothing. A child that is forked by a
 * thread other than the main one ends with that thread and runs no exit handlers. There the watcher
 * ends by itself once it is the last thread.
 *
 * Fork. os.fork() warns when there are threads, so the thread is joined before and started again
 * after, in parent and child (fork.c). s_forking counts the forks under way: while there is one,
 * nothing starts the thread.
 *
 * Signals belong to the program: the thread blocks all of them.
 *
 * Locks. s_lifecycle serializes start and join. It is taken without the GIL, since its holder may
 * join a thread that waits for the GIL. s_lock guards s_stop; the watcher holds it while it sleeps
 * on s_wake, and never during a tick's work. Order: s_lifecycle, then s_lock. After each wait for
 * the GIL the watcher checks stopping() again: once it is to stop, it must change nothing more.
 */
#include "control/watcher.h"

#include <Python.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/osthread.h"
#include "capture/batch.h"
#include "capture/code.h"
#include "capture/monitor.h"
#include "capture/thread.h"
#include "capture/tracking.h"
#include "control/apply.h"
#include "control/control.h"
#include "control/endings.h"
#include "control/messages.h"
#include "control/remote_recording.h"
#include "control/replay.h"
#include "control/sampler.h"
#include "control/save.h"
#include "memory/memory.h"
#include "probe/demand.h"
#include "python/gil.h"
#include "python/gil_futex.h"

/* Held by a thread that starts or joins the watcher, without the GIL. */
static pthread_mutex_t s_lifecycle = PTHREAD_MUTEX_INITIALIZER;
static pthread_t s_thread;
static bool s_running; /* under s_lifecycle */
static pid_t s_tid;    /* written by the thread as it begins, read when it has been joined */

/* Between the watcher and a thread that stops it. */
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_wake;           /* on CLOCK_MONOTONIC */
static bool s_stop, s_kicked, s_asleep; /* under s_lock */

/* Written under the GIL. */
static bool s_wanted;     /* watcher_start() was called, and watcher_stop() not since */
static bool s_threadless; /* the system had no thread for us; recorders inside work all the same */
static int s_forking;     /* threads that are between prefork and postfork */

/* The watcher's own; watcher_start() writes them while there is no thread. */
static probe_mask s_last; /* the demand at the last poll */
static int s_tick_msec;   /* how long the last sleep was to be */

/* The demand to apply. A probe's events are disabled only after two polls in a row did not see it
 * watched: set_events() counts its calls in 24 bits for the life of the process (cpython #141845),
 * and a tracer that attaches probe by probe should not make it flap. */
static probe_mask steady(probe_mask watched) {
    probe_mask target = watched | (s_last & apply_applied());

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

/* Publish the status. No GIL. */
static void publish(bool running) {
    control_publish(running ? PYUSDT_WATCHER_RUNNING : PYUSDT_WATCHER_STOPPED,
                    messages_dormancy(apply_refused()));
}

/* Answer a request of live control, and end a remote recording whose lease is over. */
static void serve_requests(void) {
    if (!control_requested() && !remote_recording_is_over())
        return;
    if (!gil_take())
        return;
    if (!stopping() && control_requested())
        control_answer();
    if (!stopping() && remote_recording_is_over())
        remote_recording_end();
    gil_give();
}

/* One poll. Takes the GIL only if something is due. */
static void poll_demand(void) {
    probe_mask target = steady(demand_now()), applied = apply_applied(), now;
    bool replay = replay_is_due(applied, s_tick_msec), stale = batch_poll();
    bool again = target && apply_retry_is_due(s_tick_msec);
    bool news = target != applied || replay || stale || tracking_has_news();

    if (!again && (!news || apply_refused()))
        return;
    if (!gil_take())
        return; /* the next poll sees the same */
    /* While this waited for the GIL, a reader inside may have come, whose demand is applied already
     * and must stay, and a tracer may have gone, for which nothing should be enabled. */
    now = demand_now();
    target = (target & (now | apply_applied()) & ~DEMAND_READERS) | (now & DEMAND_READERS);
    if (!stopping() && stale)
        batch_fire_stale();
    if (again)
        apply_retry_begins();
    if (!stopping() && (target != apply_applied() || monitor_is_robbed()))
        apply_demand(target);
    else if (!stopping() && replay)
        replay_all();
    else if (!stopping())
        tracking_fire_states(false);
    gil_give();
}

static void sleep_until_next(void) {
    struct timespec at;
    int msec = s_tick_msec = control_check_msec();

    if (save_is_on() && msec > SAVE_TICK_MSEC)
        msec = SAVE_TICK_MSEC;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += msec / 1000;
    at.tv_nsec += msec % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    s_asleep = true;
    while (!s_stop && !s_kicked && pthread_cond_timedwait(&s_wake, &s_lock, &at) != ETIMEDOUT)
        ;
    s_kicked = s_asleep = false;
}

/* So that somebody may see where the GIL is waited for. */
static void wait_for_gil(void) {
    if (gil_futex_requested() && !stopping() && gil_take())
        gil_give();
}

static void *watch(void *unused) {
    s_tid = gettid();
    osthread_ours_begins();
    thread_is_ours();
    sampler_attend();
    save_tick(); /* the child of a fork has no part yet, and is missing until it has */
    pthread_mutex_lock(&s_lock);
    for (;;) {
        sleep_until_next();
        if (s_stop || osthread_is_last())
            break;
        pthread_mutex_unlock(&s_lock);
        serve_requests();
        sampler_attend();
        wait_for_gil();
        poll_demand();
        memory_attend();
        publish(true);
        clock_refine();
        save_tick();
        pthread_mutex_lock(&s_lock);
    }
    pthread_mutex_unlock(&s_lock);
    sampler_end();
    osthread_ours_ends();
    return unused;
}

/* 0 or an errno. No GIL. */
static int start_thread(void) {
    int error = 0;

    pthread_mutex_lock(&s_lifecycle);
    if (!s_running) {
        s_stop = false;
        error = osthread_init_wake(&s_wake);
        if (!error) {
            error = osthread_start(&s_thread, "pyusdt", watch);
            s_running = !error;
            if (error)
                pthread_cond_destroy(&s_wake);
        }
    }
    if (s_running && save_is_on())
        endings_start();
    pthread_mutex_unlock(&s_lifecycle);
    return error;
}

/* No GIL: the thread may be waiting for it. */
static void join_thread(void) {
    pthread_mutex_lock(&s_lifecycle);
    if (!s_forking)
        endings_await();
    endings_stop(!s_forking);
    if (s_running) {
        save_hurry(true);
        pthread_mutex_lock(&s_lock);
        s_stop = true;
        pthread_cond_signal(&s_wake);
        pthread_mutex_unlock(&s_lock);
        pthread_join(s_thread, NULL);
        osthread_await_gone(s_tid);
        pthread_cond_destroy(&s_wake);
        s_running = false;
        save_hurry(false);
    }
    pthread_mutex_unlock(&s_lifecycle);
}

/* Start the thread, unless it is not wanted or a fork is under way. 0 or an errno. */
static int start_if_wanted(void) {
    int error = 0;

    if (osthread_is_main())
        osthread_watch_main();
    if (s_wanted && !s_forking) {
        Py_BEGIN_ALLOW_THREADS;
        error = start_thread();
        Py_END_ALLOW_THREADS;
    }
    return error;
}

static void stop_thread(void) {
    Py_BEGIN_ALLOW_THREADS;
    join_thread();
    Py_END_ALLOW_THREADS;
}

static void attend_memory(void) {
    Py_BEGIN_ALLOW_THREADS;
    memory_attend();
    Py_END_ALLOW_THREADS;
}

void watcher_start(void) {
    int error;

    if (s_wanted)
        return;
    s_wanted = true;
    s_last = apply_start();
    attend_memory();
    error = start_if_wanted();
    sampler_allow(!error);
    if (error) {
        s_threadless = true;
        apply_demand(0); /* nobody would switch it off */
        log_line("cannot start a thread (%s): tracers have nothing of this process",
                 strerror(error));
    }
    watcher_publish();
}

void watcher_stop(void) {
    if (!s_wanted)
        return;
    s_wanted = s_threadless = false;
    stop_thread();
    sampler_allow(false);
    apply_stop();
    attend_memory();
    batch_fire_all();
    code_replay(); /* a tracer that counts by id gets the names once more */
    watcher_publish();
}

void watcher_publish(void) {
    publish(s_wanted && !s_threadless);
}

void watcher_kick(void) {
    pthread_mutex_lock(&s_lock);
    s_kicked = true;
    if (s_asleep)
        pthread_cond_signal(&s_wake);
    pthread_mutex_unlock(&s_lock);
}

void watcher_follow_saves(void) {
    Py_BEGIN_ALLOW_THREADS;
    pthread_mutex_lock(&s_lifecycle);
    if (s_running && save_is_on())
        endings_start();
    else if (!save_is_on())
        endings_stop(true);
    pthread_mutex_unlock(&s_lifecycle);
    Py_END_ALLOW_THREADS;
}

void watcher_prefork(void) {
    s_forking++;
    stop_thread();
}

void watcher_postfork_parent(void) {
    if (s_forking)
        s_forking--;
}

/* Other threads of the parent may have held the locks, and are not here to release them. */
void watcher_postfork_child(void) {
    osthread_postfork_child();
    pthread_mutex_init(&s_lifecycle, NULL);
    pthread_mutex_init(&s_lock, NULL);
    s_running = s_asleep = s_kicked = false;
    s_forking = 0;
}

void watcher_resume(void) {
    s_threadless = start_if_wanted() != 0;
}
