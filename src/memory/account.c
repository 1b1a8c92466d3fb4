/* SPDX-License-Identifier: Apache-2.0
 *
 * One lock for everything: for tens of nanoseconds at a time, but where a table grows. Several
 * atomic additions would cost more, and the peak would not be exact.
 *
 * No call tree is freed while the account is open: account_close() comes first, and waits for
 * whoever is inside. So places may point at nodes, and a thread may ask where it is.
 *
 * Fork. Other threads of the parent may have been inside: the child throws all away unseen.
 */
#include "memory/account.h"

#include <pthread.h>
#include <string.h>

#include "memory/blocks.h"
#include "memory/history.h"
#include "memory/mappings.h"
#include "memory/places.h"
#include "memory/sample.h"
#include "memory/spin.h"
#include "memory/where.h"

/* In the size of a block: it is a sample, and stands for more. */
#define SAMPLE ((uint64_t)1 << ACCOUNT_SAMPLE_BIT)

_Atomic uint64_t account_opening; /* written under the lock */
THREAD_LOCAL uint64_t account_t_within;

static struct spin s_lock;

/* Under the lock. */
static struct blocks s_blocks;
static struct mappings s_mappings;
static struct places s_places;
static struct history s_history;
static uint64_t s_lost;
static uint64_t s_opened; /* counts the openings, and emptyings */
static uint64_t s_open;   /* the number of this opening; 0: it is closed */
static bool s_entered;    /* even while it is closed */

static _Atomic enum { CLOSED, EXACT, SAMPLED } s_mode; /* written under the lock */
static struct sample_filter s_samples; /* where there may be blocks that are samples */
static bool s_filtered;                /* it may have some. Under the lock */
static THREAD_LOCAL struct sampling t_sampling;

/* Where this thread has allocated last; only compared. */
static THREAD_LOCAL const struct pyusdt_node *t_last_node;

/* For what is called by hooks: false, and no lock, where the account that it entered is closed. */
ALWAYS_INLINE bool lock_open(void) {
    spin_lock(&s_lock);
    if (LIKELY(s_open == account_t_within))
        return true;
    spin_unlock(&s_lock);
    return false;
}

/* For what is called by nobody's hook: one that a signal handler calls meanwhile must not enter. */
static void lock_apart(void) {
    account_t_within = UINT64_MAX;
    spin_lock(&s_lock);
}

static void unlock_apart(void) {
    spin_unlock(&s_lock);
    account_t_within = 0;
}

/* NULL: no memory. */
ALWAYS_INLINE struct place *place_of(const struct where *where) {
    t_last_node = where->node;
    return places_of(&s_places, where->tree, where->node, where->line);
}

/* What it counts as; `size` is that of its row. */
ALWAYS_INLINE struct amount amount_of(uint64_t size, uint64_t address) {
    if (UNLIKELY(size & SAMPLE))
        return sample_weight(size & ACCOUNT_SIZES, address);
    return (struct amount){size & ACCOUNT_SIZES, 1};
}

ALWAYS_INLINE void charge(struct place *place, uint64_t size, struct amount amount) {
    places_add(&s_places, place, amount);
    if (size > place->biggest)
        place->biggest = size;
}

/* The block in this row is none any more; it belonged to the place that is returned. */
ALWAYS_INLINE struct place *uncharge(const struct block *row, struct amount amount) {
    struct place *place = places_number(&s_places, row->place);

    places_remove(&s_places, place, amount);
    if (UNLIKELY(row->size & SAMPLE))
        sample_filter_remove(&s_samples, row->address);
    return place;
}

/* Under the lock. */
ALWAYS_INLINE void add(uint64_t address, uint64_t size, uint64_t mark) {
    struct where where = where_now();
    struct place *place;
    struct block *row;

    if (UNLIKELY(where.hidden))
        return;
    place = place_of(&where);
    row = LIKELY(place) ? blocks_row(&s_blocks, address) : NULL;
    if (UNLIKELY(!row)) {
        s_lost++;
        return;
    }
    if (UNLIKELY(row->address))
        uncharge(row, amount_of(row->size, address));
    row->address = address;
    row->size = size | mark | (uint64_t)s_history.epochs.now << ACCOUNT_EPOCH_BIT;
    row->place = place->number;
    row->call = where.call;
    if (UNLIKELY(mark))
        sample_filter_add(&s_samples, address);
    charge(place, size, amount_of(size | mark, address));
}

static bool takes_sample(size_t size) {
    return s_mode == SAMPLED &&
           sample_takes(&t_sampling, size, (uint64_t)(uintptr_t)&t_sampling ^ s_opened << 32);
}

/* Sizes are below ACCOUNT_SIZES: nobody has 2 PiB. */
void account_allocated(void *address, size_t size) {
    uint64_t mark = 0;

    if (UNLIKELY(!address))
        return;
    if (UNLIKELY(atomic_load_explicit(&s_mode, memory_order_relaxed) != EXACT)) {
        if (!takes_sample(size))
            return;
        mark = SAMPLE;
    }
    if (!lock_open())
        return;
    add((uint64_t)(uintptr_t)address, size, mark);
    spin_unlock(&s_lock);
}

/* A call frees what it allocated, in the same context, hence in the same thread; or its variables
 * do, as it ends: then it is called from where we are, and nothing has been allocated here since.
 */
ALWAYS_INLINE bool is_temporary(const struct place *place, uint32_t call) {
    struct where where = where_now();

    if (LIKELY(where.node == place->node))
        return where.call == call && where.node;
    return place->node && where.node == place->node->parent && t_last_node != where.node &&
           where_call(place->node) == call;
}

/* Whether nothing is known of it; no lock. */
ALWAYS_INLINE bool is_unknown(void *address) {
    int mode = atomic_load_explicit(&s_mode, memory_order_relaxed);

    return !address ||
           (mode != EXACT &&
            (mode == CLOSED || !sample_filter_has(&s_samples, (uint64_t)(uintptr_t)address)));
}

void account_freed(void *address) {
    struct place *place;
    struct block *row;

    if (UNLIKELY(is_unknown(address)) || !lock_open())
        return;
    row = blocks_find(&s_blocks, (uint64_t)(uintptr_t)address);
    if (LIKELY(row)) {
        struct amount amount = amount_of(row->size, row->address);

        place = uncharge(row, amount);
        if (is_temporary(place, row->call)) {
            place->temporary.bytes += amount.bytes;
            place->temporary.blocks += amount.blocks;
        }
        blocks_drop(&s_blocks, row);
    }
    spin_unlock(&s_lock);
}

void account_moves(void *address, struct account_block *before) {
    struct block *row;

    before->known = false;
    if (is_unknown(address) || !lock_open())
        return;
    row = blocks_find(&s_blocks, (uint64_t)(uintptr_t)address);
    if (row) {
        *before = (struct account_block){row->size, s_opened, row->place, row->call, true};
        uncharge(row, amount_of(row->size, row->address));
        blocks_drop(&s_blocks, row);
    }
    spin_unlock(&s_lock);
}

static void put_back(uint64_t address, const struct account_block *before) {
    struct block *row = blocks_row(&s_blocks, address);

    if (!row || row->address)
        return;
    *row = (struct block){address, before->size, before->place, before->call};
    if (before->size & SAMPLE)
        sample_filter_add(&s_samples, address);
    places_put_back(&s_places, places_number(&s_places, before->place),
                    amount_of(before->size, address));
}

void account_restore(void *address, const struct account_block *before) {
    if (!before->known || !lock_open())
        return;
    if (before->opened == s_opened)
        put_back((uint64_t)(uintptr_t)address, before);
    spin_unlock(&s_lock);
}

static size_t unmap(uint64_t begin, uint64_t end) {
    struct mapping piece;
    size_t known = 0;

    while (mappings_take(&s_mappings, begin, end, &piece)) {
        places_remove(&s_places, places_number(&s_places, piece.place),
                      (struct amount){piece.end - piece.begin, piece.counts});
        known += piece.end - piece.begin;
    }
    return known;
}

void account_mapped(void *address, size_t size) {
    uint64_t begin = (uint64_t)(uintptr_t)address;
    struct mapping mapping = {.begin = begin, .end = begin + size, .counts = true};
    struct place *place;
    struct where where;

    if (!size || mapping.end < begin || !lock_open())
        return;
    unmap(begin, mapping.end);
    where = where_now();
    place = place_of(&where);
    mapping.place = place ? place->number : 0;
    mapping.epoch = (uint16_t)s_history.epochs.now;
    if (place && mappings_add(&s_mappings, &mapping))
        charge(place, size, (struct amount){size, 1});
    else
        s_lost++;
    spin_unlock(&s_lock);
}

size_t account_unmapped(void *address, size_t size) {
    uint64_t begin = (uint64_t)(uintptr_t)address;
    size_t known;

    if (!size || begin + size < begin || !lock_open())
        return 0;
    known = unmap(begin, begin + size);
    spin_unlock(&s_lock);
    return known;
}

static void forget(void) {
    blocks_clear(&s_blocks);
    mappings_clear(&s_mappings);
    if (s_filtered)
        memset((void *)&s_samples, 0, sizeof s_samples);
    s_filtered = s_mode == SAMPLED;
    places_clear(&s_places);
    growth_clear(&s_history.growth);
    memset(&s_history, 0, sizeof s_history);
    s_lost = 0;
    s_opened++;
}

static void admit(void) {
    account_opening = s_open ? s_open : s_entered ? ACCOUNT_ASIDE : 0;
}

static void forked(void) {
    if (s_opened)
        forget();
    if (s_open)
        s_open = s_opened;
    admit();
    spin_postfork_child(&s_lock);
}

/* False: no memory. */
static bool watch_forks(void) {
    static bool s_watches;

    if (!s_watches && pthread_atfork(NULL, NULL, forked) != 0)
        return false;
    if (!s_watches)
        spin_allow_owner();
    s_watches = true;
    return true;
}

bool account_open(bool sampled) {
    if (!watch_forks())
        return false;
    lock_apart();
    s_mode = sampled ? SAMPLED : EXACT;
    forget();
    s_open = s_opened;
    admit();
    unlock_apart();
    return true;
}

void account_close(void) {
    lock_apart();
    s_open = 0;
    s_mode = CLOSED;
    admit();
    unlock_apart();
}

void account_be_exact(void) {
    lock_apart();
    s_mode = EXACT;
    unlock_apart();
}

bool account_enter_closed(bool enters) {
    if (!watch_forks())
        return false;
    lock_apart();
    s_entered = enters;
    admit();
    unlock_apart();
    return true;
}

void account_clear(void) {
    lock_apart();
    forget();
    unlock_apart();
}

void account_totals(struct account_totals *totals) {
    lock_apart();
    *totals = (struct account_totals){
        .bytes = s_places.live.bytes,
        .blocks = s_places.live.blocks,
        .peak_bytes = s_places.most.bytes,
        .peak_blocks = s_places.most.blocks,
        .lost = s_lost,
    };
    unlock_apart();
}

struct account_parts account_lock(void) {
    lock_apart();
    return (struct account_parts){s_open, &s_blocks, &s_mappings, &s_places, &s_history};
}

void account_unlock(void) {
    unlock_apart();
}
