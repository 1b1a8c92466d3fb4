/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples of what is allocated: each byte is one with the same small probability, so that a block
 * is in with one that grows with its size, and what is in stands for 1/probability of its like.
 * Sums of weights are unbiased: their expectations are the sums themselves.
 *
 * No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_SAMPLE_H
#define PYUSDT_MEMORY_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "memory/places.h"

/* The mean distance between two samples, in bytes. */
#define SAMPLE_BYTES ((uint64_t)512 << 10)

/* Of a thread. Zeros are a new one. */
struct sampling {
    int64_t left;  /* bytes until the next sample */
    uint64_t seed; /* 0: it has not begun */
};

/* The next block, which does not pass, with `seed` for a thread that begins: whether it is a
 * sample. */
bool sample_next(struct sampling *s, uint64_t size, uint64_t seed);

/* The next block, where it is easily seen to be none; else nothing happens. */
ALWAYS_INLINE bool sample_passes(struct sampling *s, uint64_t size) {
    if (UNLIKELY(size >= (uint64_t)s->left))
        return false;
    s->left -= (int64_t)size;
    return true;
}

/* What a block of that size that is a sample stands for: the same for the same address. */
struct amount sample_weight(uint64_t size, uint64_t address);

/* A set of addresses that may have too many, and never too few. Changed by one thread at a time,
 * asked by any. Zeros are an empty one. What lies close together in memory does so here. */
enum { SAMPLE_FILTER_LOG2 = 18, SAMPLE_FILTER_LINE_LOG2 = 6 };
struct sample_filter {
    _Atomic uint8_t counts[1 << SAMPLE_FILTER_LOG2]; /* of those with that hash; the largest one is
                                                        never changed any more */
};

ALWAYS_INLINE _Atomic uint8_t *sample_filter_at(struct sample_filter *f, uint64_t address) {
    uint64_t line = (address >> 12) * 0x9E3779B97F4A7C15u >>
                    (64 - SAMPLE_FILTER_LOG2 + SAMPLE_FILTER_LINE_LOG2);

    return &f->counts[line << SAMPLE_FILTER_LINE_LOG2 |
                      (address >> 4) % (1 << SAMPLE_FILTER_LINE_LOG2)];
}

ALWAYS_INLINE bool sample_filter_has(struct sample_filter *f, uint64_t address) {
    return __atomic_load_n((uint8_t *)sample_filter_at(f, address), __ATOMIC_RELAXED) != 0;
}

void sample_filter_add(struct sample_filter *f, uint64_t address);
void sample_filter_remove(struct sample_filter *f, uint64_t address);
void sample_filter_clear(struct sample_filter *f);

#endif
