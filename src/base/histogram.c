/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#define COUNT_OF(entry) ((entry) & (((uint64_t)1 << HISTOGRAM_BUCKET_SHIFT) - 1))

static uint64_t value_of(const _Atomic uint64_t *value) {
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void set_value(_Atomic uint64_t *value, uint64_t to) {
    atomic_store_explicit(value, to, memory_order_relaxed);
}

/* The first 64 are the values themselves; each half of a power has its own width. */
uint64_t histogram_low(unsigned bucket) {
    unsigned power, place;

    if (bucket < 64)
        return bucket;
    power = (bucket - 64) / 48;
    place = (bucket - 64) % 48;
    return (uint64_t)(place < 32 ? 64 + place : 32 + 2 * place) << power;
}

uint64_t histogram_middle(unsigned bucket) {
    uint64_t low = histogram_low(bucket), next = histogram_low(bucket + 1);

    return low + (next - low - 1) / 2;
}

void histogram_init(struct histogram *h, uint32_t slots) {
    h->mask = slots - 1;
    set_value(&h->shortest, UINT64_MAX);
}

void histogram_clear(struct histogram *h) {
    for (uint32_t i = 0; i <= h->mask; i++)
        set_value(&h->slots[i], 0);
    h->used = 0;
    set_value(&h->shortest, UINT64_MAX);
    set_value(&h->longest, 0);
}

/* The slot of `bucket`, or the free one where it belongs: there always is one. */
static _Atomic uint64_t *slot_of(struct histogram *h, uint64_t bucket) {
    uint64_t at = bucket & h->mask, entry;

    while ((entry = value_of(&h->slots[at])) != 0 && entry >> HISTOGRAM_BUCKET_SHIFT != bucket)
        at = (at + 1) & h->mask;
    return &h->slots[at];
}

void histogram_copy(struct histogram *h, const struct histogram *old) {
    for (uint32_t i = 0; i <= old->mask; i++) {
        uint64_t entry = value_of(&old->slots[i]);

        if (entry)
            set_value(slot_of(h, entry >> HISTOGRAM_BUCKET_SHIFT), entry);
    }
    h->used = old->used;
    set_value(&h->shortest, value_of(&old->shortest));
    set_value(&h->longest, value_of(&old->longest));
}

/* A slot is written last: who sees it sees the values that it is within. A quarter of them stays
 * free, so that a search is short. */
bool histogram_insert(struct histogram *h, uint64_t value) {
    uint64_t bucket = histogram_bucket(value) + 1u;
    _Atomic uint64_t *slot = slot_of(h, bucket);
    uint64_t entry = value_of(slot);

    if (value > value_of(&h->longest))
        set_value(&h->longest, value);
    if (value < value_of(&h->shortest))
        set_value(&h->shortest, value);
    if (!entry) {
        if (h->used >= h->mask - h->mask / 4)
            return false;
        h->used++;
        entry = bucket << HISTOGRAM_BUCKET_SHIFT;
    }
    atomic_store_explicit(slot, entry + 1, memory_order_release);
    return true;
}

/* What is being forgotten meanwhile may have no shortest value. */
static int visit_entry(const struct histogram *h, uint64_t entry, histogram_visitor fn, void *arg) {
    unsigned bucket = (unsigned)(entry >> HISTOGRAM_BUCKET_SHIFT) - 1;
    uint64_t low = value_of(&h->shortest), high = value_of(&h->longest), count = COUNT_OF(entry);
    uint64_t middle = histogram_middle(bucket);
    int ret = 0;

    if (low > high)
        return 0;
    middle = middle < low ? low : middle > high ? high : middle;
    if (bucket == histogram_bucket(low) && middle != low) {
        ret = fn(low, 1, arg);
        count--;
    }
    if (ret == 0 && count && bucket == histogram_bucket(high) && middle != high) {
        ret = fn(high, 1, arg);
        count--;
    }
    return ret == 0 && count ? fn(middle, count, arg) : ret;
}

int histogram_walk(const struct histogram *h, histogram_visitor fn, void *arg) {
    int ret = 0;

    for (uint32_t i = 0; i <= h->mask && ret == 0; i++) {
        uint64_t entry = atomic_load_explicit(&h->slots[i], memory_order_acquire);

        if (entry)
            ret = visit_entry(h, entry, fn, arg);
    }
    return ret;
}
