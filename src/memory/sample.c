/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/sample.h"

#include <stdatomic.h>

#define LARGEST_COUNT UINT8_MAX

/* xorshift64*: 53 of its bits, as a number below 1. */
static double uniform(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (double)((*seed * 0x2545F4914F6CDD1Du) >> 11) * 0x1p-53;
}

/* Exponentially distributed, with mean 1, without a logarithm (von Neumann 1951): of a sequence of
 * uniform numbers that falls, the length is odd with probability exp(-first). */
static double exponential(uint64_t *seed) {
    for (double whole = 0;; whole += 1) {
        double first = uniform(seed), last = first, next = uniform(seed);
        unsigned length = 1;

        for (; next < last; length++) {
            last = next;
            next = uniform(seed);
        }
        if (length % 2)
            return whole + first;
    }
}

COLD bool sample_next(struct sampling *s, uint64_t size, uint64_t seed) {
    bool begins = !s->seed;

    if (begins) {
        s->seed = seed | 1;
        for (int i = 0; i < 8; i++) /* seeds that are alike come apart */
            uniform(&s->seed);
        s->left = (int64_t)(exponential(&s->seed) * (double)SAMPLE_BYTES) + 1;
        if (size < (uint64_t)s->left) {
            s->left -= (int64_t)size;
            return false;
        }
    }
    s->left = (int64_t)(exponential(&s->seed) * (double)SAMPLE_BYTES) + 1;
    return true;
}

/* 1 - exp(-x): by the series of exp(-x / 2^k), squared k times, but where x is small, and the
 * difference would lose its digits. */
static double probability(double x) {
    double power = 1, term = 1, y = x;
    unsigned squares = 0;

    if (x < 0.01)
        return x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4)));
    if (x > 40)
        return 1;
    for (; y > 0.5; y /= 2)
        squares++;
    for (int i = 1; i < 16; i++) {
        term *= -y / i;
        power += term;
    }
    for (; squares > 0; squares--)
        power *= power;
    return 1 - power;
}

/* Numbers are whole: each is rounded up as often as the part that it lacks, by its address. */
static uint64_t rounded(double value, uint64_t address) {
    uint64_t whole = (uint64_t)value;
    double dice = (double)(((address >> 4) * 0xD1B54A32D192ED03u) >> 11) * 0x1p-53;

    return whole + (dice < value - (double)whole);
}

struct amount sample_weight(uint64_t size, uint64_t address) {
    double each = 1 / probability((double)size / (double)SAMPLE_BYTES);

    return (struct amount){rounded((double)size * each, address), rounded(each, address)};
}

void sample_filter_add(struct sample_filter *f, uint64_t address) {
    _Atomic uint8_t *count = sample_filter_at(f, address);

    if (*count < LARGEST_COUNT)
        *count += 1;
}

void sample_filter_remove(struct sample_filter *f, uint64_t address) {
    _Atomic uint8_t *count = sample_filter_at(f, address);

    if (*count < LARGEST_COUNT)
        *count -= 1;
}

/* Not by memset(): others may be asking. */
void sample_filter_clear(struct sample_filter *f) {
    for (size_t i = 0; i < sizeof f->counts; i++)
        atomic_store_explicit(&f->counts[i], 0, memory_order_relaxed);
}
