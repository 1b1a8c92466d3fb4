/* SPDX-License-Identifier: Apache-2.0
 *
 * Epochs: since when a block has been there, in few bits. One ends, and the next begins, where the
 * program marks something, and where a step begins or ends; of many steps, only at every fourth,
 * sixteenth and so on: the bits are not enough for all. An epoch in which nothing was allocated is
 * none.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_EPOCHS_H
#define PYUSDT_MEMORY_EPOCHS_H

#include <stdint.h>

enum { EPOCHS_LOG2 = 12, EPOCHS_MAX = 1 << EPOCHS_LOG2 };

/* Zeros are the first one, which began at 0. */
struct epochs {
    uint64_t began[EPOCHS_MAX]; /* in ticks; of those up to `now` */
    uint32_t now;
    uint32_t of_steps;  /* how many of them begin where steps do, or end */
    uint64_t n_steps;   /* beginnings and ends so far */
    uint64_t allocated; /* bytes, when `now` began */
};

/* A mark: the next epoch begins, if there is one left. `allocated`: bytes until now. */
void epochs_mark(struct epochs *e, uint64_t ticks, uint64_t allocated);

/* A step begins or ends: perhaps the next epoch begins. */
void epochs_step(struct epochs *e, uint64_t ticks, uint64_t allocated);

#endif
