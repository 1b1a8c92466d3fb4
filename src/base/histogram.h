/* SPDX-License-Identifier: Apache-2.0
 *
 * A histogram of durations, from which a percentile is read with an error of at most 1.1%. The
 * shortest and the longest duration are kept as they were.
 *
 *     value < 64      a bucket of its own
 *     value >= 64     48 buckets in each power of two: 32 in its first half, 1/64 of it wide, and
 * 16 in its second half, 1/32 of it wide
 *
 * Most functions need few buckets, so those that have counted something are in a hash table, of
 * slots: a bucket in the upper 12 bits, its count in the others. Neighbours have neighbouring
 * slots. Who owns the histogram makes a larger one where a table is full.
 *
 * One thread writes. Any thread may read at any time, and sees each bucket as it was at some
 * moment.
 */
#ifndef PYUSDT_BASE_HISTOGRAM_H
#define PYUSDT_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define HISTOGRAM_BUCKETS 2848 /* of 64 bits */
#define HISTOGRAM_BUCKET_SHIFT 52

struct histogram {
    struct histogram *older; /* the owner's, see nodes.c */
    uint32_t mask;           /* slots - 1; immutable */
    uint32_t used;           /* the writer's */
    _Atomic uint64_t shortest, longest;
    _Atomic uint64_t slots[]; /* 0: free; the bucket is counted from 1 */
};

/* A place on the line of buckets: below 64 the value, then 32 and 16 in each half of a power. */
static inline unsigned histogram_bucket(uint64_t value) {
    unsigned power = 63u - (unsigned)__builtin_clzll(value | 64);
    unsigned top = (unsigned)(value >> (power - 6)), coarse = 48 + top / 2;

    return 48 * (power - 6) + (top < coarse ? top : coarse);
}

/* The smallest value of `bucket`, and its middle: what a value in it is taken for. */
uint64_t histogram_low(unsigned bucket);
uint64_t histogram_middle(unsigned bucket);

/* The bytes of a histogram of so many slots, a power of two. */
static inline size_t histogram_size(uint32_t slots) {
    return sizeof(struct histogram) + slots * sizeof(uint64_t);
}

/* Makes `h`, of histogram_size() bytes, zeroed, an empty one. */
void histogram_init(struct histogram *h, uint32_t slots);

/* Makes `h`, empty and larger, what `old` is. Only the writer's thread. */
void histogram_copy(struct histogram *h, const struct histogram *old);

/* Forget everything. Only the writer's thread. */
void histogram_clear(struct histogram *h);

/* Count `value`, wherever its slot is; false: there is none, nor room for one. The shortest and the
 * longest value are noted all the same. Only the writer's thread. */
bool histogram_insert(struct histogram *h, uint64_t value);

/* The same for what has been counted before, as almost always; false: not counted. Only the
 * writer's thread. */
ALWAYS_INLINE bool histogram_count(struct histogram *h, uint64_t value) {
    uint64_t bucket = histogram_bucket(value) + 1u;
    _Atomic uint64_t *slot = &h->slots[bucket & h->mask];
    uint64_t entry = atomic_load_explicit(slot, memory_order_relaxed);

    if (UNLIKELY(entry >> HISTOGRAM_BUCKET_SHIFT != bucket) ||
        UNLIKELY(value < atomic_load_explicit(&h->shortest, memory_order_relaxed)) ||
        UNLIKELY(value > atomic_load_explicit(&h->longest, memory_order_relaxed)))
        return false;
    atomic_store_explicit(slot, entry + 1, memory_order_relaxed);
    return true;
}

/* Calls `fn` for all that was counted, in no order, until it returns other than 0, which is
 * returned: the shortest and the longest value as they were, the others as the middles of their
 * buckets, but within those two. Any thread. */
typedef int (*histogram_visitor)(uint64_t value, uint64_t count, void *arg);
int histogram_walk(const struct histogram *h, histogram_visitor fn, void *arg);

#endif
