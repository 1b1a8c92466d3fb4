/* SPDX-License-Identifier: Apache-2.0
 *
 * A timesheet: what of one thread's time has been charged, and what not yet.
 *
 * The kernel says exactly how long a thread has run (its CPU clock) and how long it was ready
 * without a CPU; all other time it waited. Only *where* is sampled, by looks at random moments. A
 * look that finds the thread on a CPU charges all CPU time that is not charged yet to where the
 * thread is; one that finds it waiting, all time of waiting. So each place gets its share in the
 * long run, however short its turns are, and the sums are exact. Time without a CPU, which the
 * kernel adds once the thread has got one, goes to where the thread was seen ready.
 *
 * One thread at a time for a timesheet. No Python.h, no GIL.
 */
#ifndef PYUSDT_CONTROL_TIMESHEET_H
#define PYUSDT_CONTROL_TIMESHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "control/charges.h"

enum timesheet_state { TIMESHEET_ON_CPU, TIMESHEET_READY, TIMESHEET_WAITING };

/* What a look has found. Times are in ns. */
struct timesheet_look {
    uint64_t wall, cpu; /* now, and the thread's CPU clock then */
    enum timesheet_state state;
    struct charge_place place;
    struct charge_kind kind; /* where it waits */
    bool knows_delay, knows_system;
    uint64_t delay;  /* how long it was ready without a CPU, ever */
    uint64_t system; /* CPU time in the kernel, ever */
};

struct timesheet {
    uint64_t wall, cpu, delay, system; /* as of the last look */
    bool knows_delay, knows_system;
    uint64_t system_charged; /* in terms of `system` */

    /* What is not charged yet. Waiting is below 0 where a time without a CPU was taken for it. */
    uint64_t cpu_left, ready_left;
    int64_t wait_left;

    enum timesheet_state state; /* at the last look */
    bool was_on_cpu, was_ready, was_waiting;
    struct charge_place on_cpu, ready, waiting; /* where that was, last */
    struct charge_kind kind;
    uint32_t ready_looks;
};

/* Begin with a thread that has run for `cpu` before. `whole`: what it had used when it began counts
 * too, because the recording began before it did. */
void timesheet_begin(struct timesheet *sheet, uint64_t wall, uint64_t cpu, bool whole);

void timesheet_look(struct timesheet *sheet, const struct timesheet_look *look,
                    struct charges *charges);

/* Charge what is left, as well as is known without another look. `place` is where the thread is now
 * (`itself`: for sure, it is the one that runs). `ends`: nothing comes after this. */
void timesheet_settle(struct timesheet *sheet, uint64_t wall, uint64_t cpu,
                      const struct charge_place *place, bool itself, bool ends,
                      struct charges *charges);

#endif
