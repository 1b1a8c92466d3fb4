/* SPDX-License-Identifier: Apache-2.0
 *
 * What each place has alive at the ends of a step that comes again and again: whether it grows
 * from one to the next is for the reports to judge.
 *
 * A point is one end, with what each place then has alive. Between two points lies a random number
 * of ends, so that nothing which comes and goes with them looks as if it grew. Where a name has too
 * many points, every other one goes, and they are taken half as often from then on: a million ends
 * have 500 of them.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_GROWTH_H
#define PYUSDT_MEMORY_GROWTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "memory/places.h"

/* Names are numbers; those that come when there are so many have no points. */
enum { GROWTH_NAMES = 4, GROWTH_POINTS = 64 };
/* Where there are more, no point is taken any more: it would take long, and much memory. */
enum { GROWTH_PLACES = 50000 };

struct growth_point {
    uint64_t iteration; /* which of the ends of that name, from 1 */
    uint64_t total;     /* bytes, of all places */
    uint64_t *bytes;    /* owned; by the number of the place */
    uint32_t n;         /* of them; places that came later had nothing */
};

/* Zeros are none. */
struct growth {
    struct growth_series {
        uint32_t name, n;
        uint64_t iterations; /* so far */
        uint64_t apart;      /* that points are, on average */
        uint64_t next;       /* iteration that is to be a point */
        struct growth_point points[GROWTH_POINTS];
    } series[GROWTH_NAMES];
    uint32_t n;
    uint64_t changes; /* of the points */
    uint64_t random;
    _Atomic bool changing; /* now */
};

/* A step of that name ends. */
void growth_step(struct growth *g, const struct places *places, uint32_t name);

/* What a place had at a point. */
static inline uint64_t growth_at(const struct growth_point *point, uint32_t place) {
    return place < point->n ? point->bytes[place] : 0;
}

/* Forgets all and gives the memory back; not where another thread was changing it, as the child of
 * a fork may find it: then it is lost. */
void growth_clear(struct growth *g);

#endif
