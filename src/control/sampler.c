/* SPDX-License-Identifier: Apache-2.0
 *
 * Life. The thread exists while it is wanted and the watcher runs, which starts it and joins it. A
 * fork finds none: the watcher is joined before.
 *
 * Who is looked at. Each entry of a thread (thread.h) gets a *seat*, which lives as long as the
 * entry, that is for ever. It is *taken* while the thread is looked at: from its first event, or
 * the beginning of the recording, to its end. Another thread that gets the entry takes the seat
 * anew; merged with the ended one, it goes on with its charges.
 *
 * Locks. s_lock guards the seats; it is a leaf, and nobody waits for anything under it, so it may
 * be taken with or without the GIL. The kernel is asked without it: what a look has found counts
 * only if the seat has not been taken anew meanwhile. s_trees is held from the moment when a tree
 * is looked up until its node has been read, and by who is about to free trees. Order: s_trees,
 * then s_lock.
 */
#include "control/sampler.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/osthread.h"
#include "base/proc_thread.h"
#include "capture/thread.h"
#include "capture/tracking.h"
#include "control/look.h"
#include "control/timesheet.h"
#include "python/gil_futex.h"

/* The most that it may take of a CPU: one part in so many. */
enum { SHARE = 50 };

/* The longest interval. */
#define INTERVAL_MAX_NS UINT64_C(1000000000)

/* With more threads than this, a pass is in a hurry. */
enum { MANY = 16 };

struct seat {
    struct seat *next; /* immutable */

    /* Under s_lock. */
    bool taken;
    uint32_t turn; /* counts the times that it was taken */
    uint32_t serial;
    pid_t tid;
    struct calltree *tree; /* borrowed, valid while taken */
    struct timesheet sheet;
    struct charges charges;

    /* The sampler thread's own. */
    struct look_kept kept;
    uint32_t kept_turn; /* whose that is */
};

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t s_trees = PTHREAD_MUTEX_INITIALIZER;
static struct seat *_Atomic s_seats; /* only grows */
static pid_t s_forked;               /* the child of a fork: its thread, whose clock began there */

static _Atomic uint32_t s_msec; /* written under the GIL; 0: not wanted */
static atomic_bool s_blind;     /* there is no /proc */

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

/* The turn, or 0: nobody is to be looked at. */
static uint32_t start_look(struct seat *seat, struct look_start *start) {
    uint32_t turn;

    pthread_mutex_lock(&s_lock);
    turn = seat->taken ? seat->turn : 0;
    *start = (struct look_start){
        .tid = seat->tid,
        .tree = seat->tree,
        .cpu = seat->sheet.cpu,
        .cpu_left = seat->sheet.cpu_left,
        .waits = seat->sheet.state == TIMESHEET_WAITS && seat->sheet.knows_waiting,
    };
    pthread_mutex_unlock(&s_lock);
    return turn;
}

static void end_look(struct seat *seat, uint32_t turn, const struct timesheet_look *look) {
    pthread_mutex_lock(&s_lock);
    if (seat->taken && seat->turn == turn)
        timesheet_look(&seat->sheet, look, &seat->charges);
    pthread_mutex_unlock(&s_lock);
}

/* It has ended without our notice. What it did last is not known. */
static void vacate(struct seat *seat, uint32_t turn) {
    const struct charge_place thread = {0};

    pthread_mutex_lock(&s_lock);
    if (seat->taken && seat->turn == turn) {
        timesheet_settle(&seat->sheet, 0, 0, &thread, false, true, &seat->charges);
        seat->taken = false;
    }
    pthread_mutex_unlock(&s_lock);
}

/* The thread has not run since the last look, which found it waiting. */
static void copy_wait(struct seat *seat, struct timesheet_look *look) {
    pthread_mutex_lock(&s_lock);
    look->place = seat->sheet.waiting;
    look->kind = seat->sheet.kind;
    pthread_mutex_unlock(&s_lock);
}

static void look_at(struct looker *looker, struct seat *seat) {
    struct timesheet_look look = {0};
    struct proc_call call = {.state = PROC_UNKNOWN};
    struct look_start start;
    uint32_t turn;
    bool there, again;

    pthread_mutex_lock(&s_trees);
    turn = start_look(seat, &start);
    if (seat->kept_turn != turn) {
        proc_thread_close(&seat->kept.files, &looker->files);
        seat->kept = (struct look_kept){0};
        seat->kept_turn = turn;
    }
    there = turn && look_where(looker, &seat->kept, &start, &look, &call, &again);
    pthread_mutex_unlock(&s_trees);
    if (!turn)
        return;
    s_n_threads++;
    if (!there) {
        vacate(seat, turn);
        return;
    }
    if (again)
        copy_wait(seat, &look);
    else
        look_what(looker, &seat->kept, &start, &look, &call);
    end_look(seat, turn, &look);
}

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
        s_share = (uint32_t)((s_share * 7 + (cpu - pace->cpu) * 10000 / passed) / 8);
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
        s_n_threads = 0;
        for (struct seat *seat = s_seats; seat; seat = seat->next)
            look_at(&looker, seat);
        s_looks++;
        if (looker.unsure)
            gil_futex_request();
        set_pace(&pace);
    } while (sleep_until_next(&pace));
    for (struct seat *seat = s_seats; seat; seat = seat->next)
        proc_thread_close(&seat->kept.files, &looker.files);
    proc_files_end(&looker.files);
    osthread_ours_ends();
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

static void start_thread(void) {
    sigset_t all, before;

    if (init_wake())
        return;
    s_stop = false;
    s_share = 0;
    s_looks = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s_running = pthread_create(&s_thread, NULL, sample, NULL) == 0;
    if (s_running)
        pthread_setname_np(s_thread, "pyusdt-sample");
    else
        pthread_cond_destroy(&s_wake);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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

/* Where the calling thread is, as its tree says. */
static struct charge_place place_of(const struct seat *seat) {
    return charge_place_of(atomic_load_explicit(&seat->tree->current, memory_order_acquire));
}

/* System time of the calling thread, finer than /proc has it. */
static void learn_system(struct timesheet *sheet) {
    struct rusage usage;

    if (!sheet->knows_system || getrusage(RUSAGE_THREAD, &usage) < 0)
        return;
    sheet->system =
        (uint64_t)usage.ru_stime.tv_sec * 1000000000u + (uint64_t)usage.ru_stime.tv_usec * 1000u;
}

/* Under s_lock. */
static void settle(struct seat *seat, bool ends) {
    bool itself = seat->tid == gettid();
    struct charge_place place = place_of(seat);
    uint64_t cpu;

    if (!proc_thread_cpu(seat->tid, &cpu))
        cpu = 0;
    if (itself)
        learn_system(&seat->sheet);
    timesheet_settle(&seat->sheet, clock_monotonic_ns(), cpu, &place, itself, ends, &seat->charges);
}

void sampler_settle(void) {
    if (!s_msec)
        return;
    for (struct seat *seat = s_seats; seat; seat = seat->next) {
        pthread_mutex_lock(&s_lock);
        if (seat->taken)
            settle(seat, false);
        pthread_mutex_unlock(&s_lock);
    }
}

/* The thread ends itself, or has ended. No GIL. */
static void leave_seat(struct thread *thread) {
    struct seat *seat;

    pthread_mutex_lock(&s_lock);
    seat = thread->seat;
    if (seat && seat->taken) {
        settle(seat, true);
        seat->taken = false;
    }
    pthread_mutex_unlock(&s_lock);
}

/* Its tree is about to be freed. GIL held. */
static void forget_tree(struct thread *thread) {
    if (!thread->seat)
        return;
    pthread_mutex_lock(&s_trees);
    pthread_mutex_lock(&s_lock);
    thread->seat->taken = false;
    charges_clear(&thread->seat->charges);
    pthread_mutex_unlock(&s_lock);
    pthread_mutex_unlock(&s_trees);
}

static struct seat *seat_of(struct thread *thread) {
    struct seat *seat = thread->seat ? thread->seat : calloc(1, sizeof *seat);

    if (!seat || thread->seat)
        return seat;
    seat->next = s_seats;
    s_seats = seat;
    pthread_mutex_lock(&s_lock);
    thread->seat = seat;
    pthread_mutex_unlock(&s_lock);
    return seat;
}

void sampler_follow(struct thread *thread) {
    pid_t tid = (pid_t)thread->tree->tid;
    struct seat *seat = s_msec && !s_blind && tid && !thread->ended ? seat_of(thread) : NULL;
    bool whole = thread->begins || tid == s_forked;
    uint64_t cpu;

    if (!seat || (seat->taken && seat->serial == thread->serial && seat->tid == tid) ||
        !proc_thread_cpu(tid, &cpu))
        return;
    pthread_mutex_lock(&s_lock);
    if (seat->serial != thread->serial)
        charges_clear(&seat->charges);
    seat->taken = true;
    seat->turn++;
    seat->serial = thread->serial;
    seat->tid = tid;
    seat->tree = thread->tree;
    timesheet_begin(&seat->sheet, clock_monotonic_ns(), cpu, whole);
    pthread_mutex_unlock(&s_lock);
    if (tid == s_forked)
        s_forked = 0;
}

int sampler_walk(const struct thread *thread, charge_visitor fn, void *arg) {
    int ret = 0;

    pthread_mutex_lock(&s_lock);
    if (thread->seat && thread->seat->serial == thread->serial)
        ret = charges_walk(&thread->seat->charges, fn, arg);
    pthread_mutex_unlock(&s_lock);
    return ret;
}

static void forget_all(void) {
    for (struct seat *seat = s_seats; seat; seat = seat->next) {
        pthread_mutex_lock(&s_lock);
        seat->taken = false;
        charges_clear(&seat->charges);
        pthread_mutex_unlock(&s_lock);
    }
}

static bool kernel_answers(void) {
    struct proc_files files = {0};
    struct proc_thread thread = {0};
    struct proc_call call;

    proc_thread_call(&files, &thread, gettid(), &call);
    return call.state != PROC_UNKNOWN;
}

void sampler_want(uint32_t msec) {
    if (!msec || !s_msec)
        forget_all();
    if (msec && !s_msec)
        s_blind = !kernel_answers();
    s_msec = msec;
}

bool sampler_works(void) {
    return s_msec && !s_blind;
}

uint64_t sampler_blind(void) {
    return s_msec && s_blind;
}

struct pyusdt_sampler sampler_state(void) {
    if (!s_interval_usec)
        return (struct pyusdt_sampler){0};
    return (struct pyusdt_sampler){.interval_usec = s_interval_usec,
                                   .share = s_share,
                                   .threads = s_n_threads,
                                   .looks = s_looks};
}

/* Whoever held a lock is not here: then the charges that it was making are given up. */
void sampler_postfork_child(void) {
    bool whole = pthread_mutex_trylock(&s_lock) == 0;

    pthread_mutex_init(&s_lock, NULL);
    pthread_mutex_init(&s_trees, NULL);
    pthread_mutex_init(&s_sleep, NULL);
    for (struct seat *seat = s_seats; seat; seat = seat->next) {
        if (!whole)
            seat->charges = (struct charges){0};
        seat->kept = (struct look_kept){0};
    }
    s_running = false;
    s_interval_usec = 0;
    s_forked = gettid();
    forget_all();
}

void sampler_init(void) {
    thread_leaves = leave_seat;
    thread_tree_goes = forget_tree;
    tracking_adopted = sampler_follow;
}
