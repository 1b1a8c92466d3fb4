/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks. s_lock guards the seats; it is a leaf, and nobody waits for anything under it, so it may
 * be taken with or without the GIL. The kernel is asked without it: what a look has found counts
 * only if the seat has not been taken anew meanwhile. s_trees is held from the moment when a tree
 * is looked up until its node has been read, and by who is about to free trees. Order: s_trees,
 * then s_lock.
 */
#include "control/seats.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "calltree/calltree.h"
#include "capture/thread.h"
#include "control/timesheet.h"

/* Among so many nodes the time of a short thread is shared out. */
enum { SHARES_MAX = 2000 };
/* So many lines are looked through for that. */
enum { LINES_MAX = 100000 };

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
static uint64_t s_random;            /* under s_lock */
static pid_t s_forked; /* in the child of a fork: its thread, whose clock began there */

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

static bool look_at(struct looker *looker, struct seat *seat) {
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
        return false;
    if (!there) {
        vacate(seat, turn);
        return false;
    }
    if (again)
        copy_wait(seat, &look);
    else
        look_what(looker, &seat->kept, &start, &look, &call);
    end_look(seat, turn, &look);
    return true;
}

uint32_t seats_look(struct looker *looker) {
    uint32_t n = 0;

    for (struct seat *seat = s_seats; seat; seat = seat->next)
        n += look_at(looker, seat);
    return n;
}

void seats_close(struct looker *looker) {
    for (struct seat *seat = s_seats; seat; seat = seat->next)
        proc_thread_close(&seat->kept.files, &looker->files);
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

/* The CPU time of a thread that was too short for a look goes where its own time went, which the
 * tree knows. */
struct shares {
    struct seat *seat;
    uint64_t cpu, ticks; /* to share, and of all nodes together */
    int nodes;
    uint32_t lines; /* that were looked through */
};

static int add_line(const struct calltree_line *line, void *ticks) {
    *(uint64_t *)ticks += line->self;
    return 0;
}

struct chosen {
    uint64_t at; /* ticks from the first line on */
    int32_t line;
};

static int choose_line(const struct calltree_line *line, void *arg) {
    struct chosen *chosen = arg;

    if (chosen->at < line->self) {
        chosen->line = line->line;
        return 1;
    }
    chosen->at -= line->self;
    return 0;
}

/* One of the lines of the node's function, as likely as it had own time: all have their shares of
 * many threads, and a thread has one charge. 0: none has. Under s_lock. */
static int32_t any_line(const struct pyusdt_node *node, const struct code_record *code,
                        struct shares *shares) {
    struct chosen chosen = {0};
    uint64_t ticks = 0;

    if (!code || code->n_lines > LINES_MAX - shares->lines)
        return 0;
    shares->lines += code->n_lines;
    calltree_walk_lines_of(node, add_line, &ticks);
    s_random = s_random * 6364136223846793005u + 1442695040888963407u;
    chosen.at = (uint64_t)((double)(s_random >> 32) / 4294967296.0 * (double)ticks);
    calltree_walk_lines_of(node, choose_line, &chosen);
    return chosen.line;
}

static int add_share(const struct calltree_sample *sample, void *arg) {
    struct shares *shares = arg;

    shares->ticks += sample->self;
    return shares->nodes++ > SHARES_MAX;
}

static int give_share(const struct calltree_sample *sample, void *arg) {
    struct shares *shares = arg;
    struct charge_place place = charge_place_of(sample->node);
    double share = (double)sample->self / (double)shares->ticks;

    if (!sample->self)
        return 0;
    place.line = any_line(sample->node, place.code, shares);
    timesheet_place(&shares->seat->sheet, &place, (uint64_t)(share * (double)shares->cpu),
                    &shares->seat->charges);
    return 0;
}

static void share_out(struct seat *seat, uint64_t cpu) {
    struct shares shares = {.seat = seat,
                            .cpu = timesheet_unseen(&seat->sheet, clock_monotonic_ns(), cpu)};

    if (shares.cpu && calltree_walk(seat->tree, add_share, &shares) == 0 && shares.ticks)
        calltree_walk(seat->tree, give_share, &shares);
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
    if (ends)
        share_out(seat, cpu);
    /* At its end a thread is in no function, where it has spent nothing. */
    timesheet_settle(&seat->sheet, clock_monotonic_ns(), cpu, &place, itself && !ends, ends,
                     &seat->charges);
}

void seats_settle(void) {
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

/* It sits here already. The thread itself may be leaving just now, without the GIL. */
static bool sits(const struct seat *seat, const struct thread *thread, pid_t tid) {
    bool here;

    pthread_mutex_lock(&s_lock);
    here = seat->taken && seat->serial == thread->serial && seat->tid == tid;
    pthread_mutex_unlock(&s_lock);
    return here;
}

void seats_follow(struct thread *thread) {
    pid_t tid = (pid_t)thread->tree->tid;
    struct seat *seat = tid && !thread->ended ? seat_of(thread) : NULL;
    bool whole = thread->begins || tid == s_forked;
    uint64_t cpu;

    if (!seat || sits(seat, thread, tid) || !proc_thread_cpu(tid, &cpu))
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

int seats_walk(const struct thread *thread, charge_visitor fn, void *arg) {
    int ret = 0;

    pthread_mutex_lock(&s_lock);
    if (thread->seat && thread->seat->serial == thread->serial)
        ret = charges_walk(&thread->seat->charges, fn, arg);
    pthread_mutex_unlock(&s_lock);
    return ret;
}

void seats_forget(void) {
    for (struct seat *seat = s_seats; seat; seat = seat->next) {
        pthread_mutex_lock(&s_lock);
        seat->taken = false;
        charges_clear(&seat->charges);
        pthread_mutex_unlock(&s_lock);
    }
}

static void follow(struct thread *thread, void *unused) {
    (void)unused;
    seats_follow(thread);
}

/* Whoever held a lock is not here: then the charges that it was making are given up. */
void seats_postfork_child(bool wanted) {
    bool whole = pthread_mutex_trylock(&s_lock) == 0;

    if (whole)
        pthread_mutex_unlock(&s_lock);
    pthread_mutex_init(&s_lock, NULL);
    pthread_mutex_init(&s_trees, NULL);
    for (struct seat *seat = s_seats; seat; seat = seat->next) {
        if (!whole)
            seat->charges = (struct charges){0};
        seat->kept = (struct look_kept){0};
    }
    s_forked = gettid();
    seats_forget();
    if (wanted)
        thread_each(false, follow, NULL); /* only this one is left */
}

void seats_init(void) {
    thread_leaves = leave_seat;
    thread_tree_goes = forget_tree;
}
