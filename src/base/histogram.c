/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

static uint32_t count_of(const _Atomic uint32_t *count) {
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void set_count(_Atomic uint32_t *count, uint32_t value) {
    atomic_store_explicit(count, value, memory_order_relaxed);
}

uint64_t histogram_low(unsigned bucket) {
    if (bucket < 4)
        return bucket;
    return (uint64_t)(4 + bucket % 4) << (bucket / 4 - 1);
}

void histogram_halve(struct histogram *h) {
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        set_count(&h->counts[i], count_of(&h->counts[i]) / 2);
}

void histogram_clear(struct histogram *h) {
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        set_count(&h->counts[i], 0);
}

void histogram_read(const struct histogram *h, uint32_t counts[HISTOGRAM_BUCKETS]) {
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        counts[i] = count_of(&h->counts[i]);
}
