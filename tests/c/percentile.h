/* SPDX-License-Identifier: Apache-2.0
 *
 * Percentiles of a histogram, as its readers compute them (pyusdt/recording/histogram.py).
 */
#ifndef PYUSDT_TESTS_PERCENTILE_H
#define PYUSDT_TESTS_PERCENTILE_H

#include <stdlib.h>

#include "base/histogram.h"

struct durations {
    unsigned n;
    struct duration {
        uint64_t value, count;
    } of[HISTOGRAM_BUCKETS + 2];
};

/* A histogram_visitor; `durations` is a struct durations, zeroed. */
static inline int keep_duration(uint64_t value, uint64_t count, void *durations) {
    struct durations *d = durations;
    d->of[d->n++] = (struct duration){value, count};
    return 0;
}

static inline uint64_t sum_of(const struct durations *d) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < d->n; i++)
        sum += d->of[i].count;
    return sum;
}

static inline int compare_durations(const void *a, const void *b) {
    uint64_t x = ((const struct duration *)a)->value, y = ((const struct duration *)b)->value;
    return (x > y) - (x < y);
}

/* The value that `fraction` (0..1) of the counted ones do not exceed; 0 when nothing was counted.
 * Sorts them. */
static inline uint64_t percentile(struct durations *d, double fraction) {
    double rank = fraction * (double)sum_of(d), below = 0;
    qsort(d->of, d->n, sizeof(d->of[0]), compare_durations);
    for (unsigned i = 0; i < d->n; i++) {
        below += (double)d->of[i].count;
        if (below >= rank)
            return d->of[i].value;
    }
    return d->n > 0 ? d->of[d->n - 1].value : 0;
}

#endif
