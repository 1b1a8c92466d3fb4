/* SPDX-License-Identifier: Apache-2.0
 *
 * A timesheet: what of one thread's time has been charged, and what not yet.
 *
 * The kernel says exactly how long a thread has run (its CPU clock) and how long it was ready
 * without a CPU; all other time it waited. Only *where* is sampled, by looks at random moments.
 *
 *     looks:    wait X        run A          run A        wait Y
 *     time:  ------|------------|--------------|------------|-----
 *     waiting     X: all        -              -          Y: all
 *     running          A: all        A: all       A: all
 *
 * What has been waited since a look that found the thread waiting at X goes to X, or half of it to
 * Y where the next look finds it waiting there. What has been waited between looks that did not
 * find it waiting is left until one does. The same goes for running. So each place gets its share
 * in the long run, however short its turns are; a long turn gets its time to the moment; and the
 * sums are exact. Time without a CPU, which the kernel adds once the thread has got one, goes to
 * where the thread was seen ready.
 *
 * One thread at a time for a timesheet. No Python.h, no GIL.
 */
#ifndef PYUSDT_CONTROL_TIMESHEET_H
#define PYUSDT_CONTROL_TIMESHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "control/charges.h"

enum timesheet_state { TIMESHEET_RUNS, TIMESHEET_READY, TIMESHEET_WAITS };

/* What a look has found. Times are in ns. */
struct timesheet_look {
    uint64_t wall, cpu; /* now, and the thread's CPU clock then */
    enum timesheet_state state;
    bool preempted; /* READY: it was running there until it lost its CPU */
    struct charge_place place;
    struct charge_kind kind; /* what it waits for */
    bool knows_delay, knows_system;
    uint64_t delay;  /* how long it was ready without a CPU, ever */
    uint64_t system; /* CPU time in the kernel, ever */
};

struct timesheet {
    uint64_t wall, cpu, delay, system; /* as of the last look */
    bool whole;                        /* all of the thread is known */
    bool knows_delay, knows_system;
    uint64_t system_charged; /* in terms of `system` */

    /* What is not charged yet. Waiting is below 0 where time without a CPU was taken for it. */
    uint64_t cpu_left, ready_left;
    int64_t wait_left;

    enum timesheet_state state; /* at the last look */
    bool ran;                   /* the last look found it running, or preempted, at `on_cpu` */
    bool waited;                /* the last one that did not find it ready found it at `waiting` */
    bool knows_on_cpu, knows_waiting;
    struct charge_place on_cpu, waiting, ready; /* where that was, last */
    struct charge_kind kind;
    uint32_t ready_looks; /* since it had a CPU */
};

/* Begin with a thread that has run for `cpu` before. `whole`: that counts too, because the
 * recording began before the thread did. */
void timesheet_begin(struct timesheet *sheet, uint64_t wall, uint64_t cpu, bool whole);

void timesheet_look(struct timesheet *sheet, const struct timesheet_look *look,
                    struct charges *charges);

/* The CPU time, until now, of a thread that no look has ever found running; 0: some did. */
uint64_t timesheet_unseen(struct timesheet *sheet, uint64_t wall, uint64_t cpu);

/* Charge some of that to a place that is known otherwise. */
void timesheet_place(struct timesheet *sheet, const struct charge_place *place, uint64_t ns,
                     struct charges *charges);

/* Charge what is left as well as is known without another look. `place` is where the thread is now;
 * `itself`: it is the calling one, and so runs. `ends`: nothing comes after this. */
void timesheet_settle(struct timesheet *sheet, uint64_t wall, uint64_t cpu,
                      const struct charge_place *place, bool itself, bool ends,
                      struct charges *charges);

#endif
