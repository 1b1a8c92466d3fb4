/* SPDX-License-Identifier: Apache-2.0
 *
 * The most that was alive since any of several moments, without a figure for each of them.
 *
 * The moments divide the time into stretches, which have numbers. Of those that have ended, only
 * such are kept as had more than all later ones: the most since a moment is that of the first one
 * kept from there on. There is a bound on them. Where it is met, which takes as many moments with
 * less alive at each, the oldest is forgotten, and what was the most since then is not known.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_HIGHS_H
#define PYUSDT_MEMORY_HIGHS_H

#include <stdbool.h>
#include <stdint.h>

enum { HIGHS_MAX = 256 };

/* Zeros: the stretch with number 0 runs. */
struct highs {
    struct high {
        uint64_t stretch, bytes;
    } rows[HIGHS_MAX]; /* with ever fewer bytes */
    uint32_t n;
    uint64_t stretch;    /* that runs */
    uint64_t known_from; /* the stretch; what earlier ones had is forgotten */
};

/* The stretch that runs ends; `bytes` were the most in it. Returns the number of the next. */
uint64_t highs_next(struct highs *h, uint64_t bytes);

/* The most in the stretches from `first` on that have ended. False: there is none, or it is not
 * known. */
bool highs_since(const struct highs *h, uint64_t first, uint64_t *bytes);

#endif
