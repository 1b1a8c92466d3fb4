/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory of steps, where memory is accounted for; elsewhere they cost a look whether it is.
 *
 * GIL held for everything here. Leaves no exception, and runs no code of the program.
 *
 * Private to: steps
 */
#ifndef PYUSDT_STEPS_STEP_MEMORY_H
#define PYUSDT_STEPS_STEP_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "memory/account.h"

/* Where a step starts. */
struct step_start {
    uint64_t ticks;               /* of clock.h */
    uint64_t rss;                 /* in bytes, with `memory` */
    struct account_moment memory; /* of none, where no memory is accounted for */
};

struct step_memory {
    uint64_t rss_start, rss_end;
    struct account_span span;
};

/* Now. */
struct step_start step_memory_start(void);

/* It ends, at `ticks`. False: its memory is not known. */
bool step_memory_end(const struct step_start *start, uint64_t ticks, struct step_memory *memory);

#endif
