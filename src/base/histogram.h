/* SPDX-License-Identifier: Apache-2.0
 *
 * A histogram of durations: four linear buckets in each power of two, so a percentile read from it
 * is off by at most an eighth. One thread writes. Any thread may read at any time, and sees each
 * bucket as it was at some moment.
 */
#ifndef PYUSDT_BASE_HISTOGRAM_H
#define PYUSDT_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"

/* The last bucket takes 7 * 2^46 and more (about two days of 3 GHz ticks). */
#define HISTOGRAM_BUCKETS 192

/* All zero is an empty histogram. */
struct histogram {
    _Atomic uint32_t counts[HISTOGRAM_BUCKETS];
};

/* Bucket of `value`: 0..3 have one each, then four for each power of two. */
static inline unsigned histogram_bucket(uint64_t value) {
    unsigned power, bucket;

    if (value < 4)
        return (unsigned)value;
    power = 63u - (unsigned)__builtin_clzll(value);
    bucket = (power - 1) * 4 + (unsigned)((value >> (power - 2)) & 3);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The smallest value of `bucket`. For HISTOGRAM_BUCKETS: where the last bucket would end. */
uint64_t histogram_low(unsigned bucket);

/* Halve all counts. Only the writer's thread. */
void histogram_halve(struct histogram *h);

/* Count `value`. Only the writer's thread. When a bucket is full (2^32-1) all are halved: the
 * percentiles stay right, but the sum of the counts is no longer the number of values. */
static inline void histogram_add(struct histogram *h, uint64_t value) {
    _Atomic uint32_t *count = &h->counts[histogram_bucket(value)];

    if (UNLIKELY(atomic_load_explicit(count, memory_order_relaxed) == UINT32_MAX))
        histogram_halve(h);
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Forget everything. Only the writer's thread. */
void histogram_clear(struct histogram *h);

/* Copy the counts. Any thread. */
void histogram_read(const struct histogram *h, uint32_t counts[HISTOGRAM_BUCKETS]);

#endif
