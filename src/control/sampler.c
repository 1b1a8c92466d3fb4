/* SPDX-License-Identifier: Apache-2.0
 *
 * Life. The thread exists while it is wanted and the watcher runs, which starts it and joins it. A
 * fork finds none: the watcher is joined before.
 */
#include "control/sampler.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/osthread.h"
#include "base/proc_thread.h"
#include "capture/tracking.h"
#include "control/look.h"
#include "control/resident.h"
#include "control/seats.h"
#include "python/gil_futex.h"

/* The most that it may take of a CPU: one part in so many. */
enum { SHARE = 50 };

/* The longest interval. */
#define INTERVAL_MAX_NS UINT64_C(1000000000)

/* With more threads than this, a pass is in a hurry: it takes a thread that waited, and has not run
 * since, as waiting still, also where that is ready by now. */
enum { MANY = 4 };

static _Atomic uint32_t s_msec; /* written under the GIL; 0: not wanted */
static atomic_bool s_blind;     /* there is no /proc, or no thread for us */
static bool s_allowed = true;   /* under the GIL */
static uint64_t s_since_ns;     /* since it is wanted */

/* The watcher's. */
static pthread_t s_thread;
static bool s_running;
static pid_t s_tid; /* of the thread; valid once it has been joined */

static pthread_mutex_t s_sleep = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_wake; /* on CLOCK_MONOTONIC; valid while s_running */
static bool s_stop;           /* under s_sleep */

/* Of the thread, for the status. */
static _Atomic uint32_t s_interval_usec, s_share, s_n_threads;
static _Atomic uint64_t s_looks;

static uint64_t own_cpu(void) {
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* xorshift: any is good enough that is not in step with the program. */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* What the thread knows of its own pace. */
struct pace {
    uint64_t random;
    uint64_t wall, cpu; /* when the last pass began */
    uint64_t cost;      /* of a pass, in CPU time: an average */
    uint64_t interval;
};

/* The interval until the next pass: as it is wanted, or longer, so that the share of a CPU is
 * kept. */
static void set_pace(struct pace *pace) {
    uint64_t wall = clock_monotonic_ns(), cpu = own_cpu();
    uint64_t passed = wall - pace->wall, wanted = (uint64_t)s_msec * 1000000;

    pace->cost = pace->cost ? (pace->cost * 7 + (cpu - pace->cpu)) / 8 : cpu - pace->cpu;
    pace->interval = pace->cost * SHARE > wanted ? pace->cost * SHARE : wanted;
    if (pace->interval > INTERVAL_MAX_NS)
        pace->interval = INTERVAL_MAX_NS;
    s_interval_usec = (uint32_t)(pace->interval / 1000);
    if (passed)
        s_share = (uint32_t)(((uint64_t)s_share * 7 + (cpu - pace->cpu) * 10000 / passed) / 8);
    pace->wall = wall;
    pace->cpu = cpu;
}

/* Half the interval to one and a half. False: the thread is to stop. */
static bool sleep_until_next(struct pace *pace) {
    uint64_t at = clock_monotonic_ns() + pace->interval / 2 +
                  next_random(&pace->random) % (pace->interval + 1);
    struct timespec time = {(time_t)(at / 1000000000u), (long)(at % 1000000000u)};
    bool stop;

    pthread_mutex_lock(&s_sleep);
    while (!s_stop && pthread_cond_timedwait(&s_wake, &s_sleep, &time) == 0)
        ;
    stop = s_stop;
    pthread_mutex_unlock(&s_sleep);
    return !stop;
}

static void *sample(void *unused) {
    struct looker looker = {0};
    struct pace pace = {.random = clock_monotonic_ns() | 1, .wall = clock_monotonic_ns()};

    s_tid = gettid();
    osthread_ours_begins();
    proc_files_begin(&looker.files);
    pace.cpu = own_cpu();
    do {
        gil_futex_look(&looker.files);
        looker.hurries = s_n_threads > MANY;
        looker.unsure = false;
        s_n_threads = seats_look(&looker);
        s_looks++;
        resident_look(clock_monotonic_ns());
        if (looker.unsure)
            gil_futex_request();
        set_pace(&pace);
    } while (sleep_until_next(&pace));
    seats_close(&looker);
    proc_files_end(&looker.files);
    osthread_ours_ends();
    return unused;
}

static void start_thread(void) {
    if (osthread_init_wake(&s_wake))
        return;
    s_stop = false;
    s_share = 0;
    s_looks = 0;
    s_running = osthread_start(&s_thread, "pyusdt-sample", sample) == 0;
    if (!s_running)
        pthread_cond_destroy(&s_wake);
    s_blind = !s_running;
}

void sampler_end(void) {
    if (!s_running)
        return;
    pthread_mutex_lock(&s_sleep);
    s_stop = true;
    pthread_cond_signal(&s_wake);
    pthread_mutex_unlock(&s_sleep);
    pthread_join(s_thread, NULL);
    osthread_await_gone(s_tid);
    pthread_cond_destroy(&s_wake);
    s_running = false;
    s_interval_usec = 0;
}

void sampler_attend(void) {
    bool wanted = s_msec && !s_blind;

    if (wanted && !s_running)
        start_thread();
    else if (!wanted)
        sampler_end();
}

static bool kernel_answers(void) {
    struct proc_files files = {0};
    struct proc_thread thread = {0};
    struct proc_call call;

    proc_thread_call(&files, &thread, gettid(), &call);
    return call.state != PROC_UNKNOWN;
}

void sampler_want(uint32_t msec) {
    if (!msec || !s_msec) {
        seats_forget();
        resident_forget();
    }
    if (msec && !s_msec) {
        s_blind = !kernel_answers();
        s_since_ns = clock_monotonic_ns();
    }
    s_msec = msec;
}

void sampler_allow(bool allowed) {
    s_allowed = allowed;
}

bool sampler_works(void) {
    return s_msec && s_allowed && !s_blind;
}

uint64_t sampler_missed(void) {
    return s_msec && !sampler_works() ? (clock_monotonic_ns() - s_since_ns) / 1000000 / s_msec : 0;
}

void sampler_follow(struct thread *thread) {
    if (sampler_works())
        seats_follow(thread);
}

void sampler_settle(void) {
    if (sampler_works())
        seats_settle();
}

int sampler_walk(const struct thread *thread, charge_visitor fn, void *arg) {
    return seats_walk(thread, fn, arg);
}

struct pyusdt_sampler sampler_state(void) {
    if (!s_interval_usec || !s_msec)
        return (struct pyusdt_sampler){0};
    return (struct pyusdt_sampler){.interval_usec = s_interval_usec,
                                   .share = s_share,
                                   .threads = s_n_threads,
                                   .looks = s_looks};
}

void sampler_postfork_child(void) {
    pthread_mutex_init(&s_sleep, NULL);
    s_running = false;
    s_interval_usec = 0;
    resident_postfork_child();
    seats_postfork_child(sampler_works());
}

void sampler_init(void) {
    seats_init();
    tracking_adopted = sampler_follow;
}
