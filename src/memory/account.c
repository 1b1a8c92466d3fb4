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

/* Bytes and blocks are added one by one: as a pair, they would wait for each other's stores. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-slp-vectorize")
#endif

#include <pthread.h>
#include <string.h>

#include "memory/history.h"
#include "memory/known.h"
#include "memory/mappings.h"
#include "memory/places.h"
#include "memory/sample.h"
#include "memory/spin.h"
#include "memory/where.h"

_Atomic uint64_t account_opening; /* written under the lock */
THREAD_LOCAL uint64_t account_t_within;

static struct spin s_lock;

/* Under the lock. */
static struct known s_known;
static struct mappings s_mappings;
static struct places s_places;
static struct history s_history;
static uint64_t s_lost;
static uint64_t s_opened;     /* counts the openings, and emptyings */
static uint64_t s_open;       /* the number of this opening; 0: it is closed */
static bool s_entered;        /* even while it is closed */
static bool s_filtered;       /* account_samples may have some */
static _Atomic bool *s_apart; /* for unlock_apart() */

_Atomic enum account_mode account_mode = ACCOUNT_CLOSED; /* written under the lock */
struct sample_filter account_samples;                    /* written under the lock */
THREAD_LOCAL struct sampling account_t_sampling;

/* Where this thread has allocated last; only compared. */
static THREAD_LOCAL const struct pyusdt_node *t_last_node;

/* For what is called by hooks: NULL, and no lock, where the account that it entered is closed. */
ALWAYS_INLINE _Atomic bool *lock_open(void) {
    _Atomic bool *locked = spin_lock(&s_lock);

    if (LIKELY(s_open == account_t_within))
        return locked;
    spin_unlock(locked);
    return NULL;
}

/* The same, where this thread owns the lock; NULL also where it does not. */
ALWAYS_INLINE _Atomic bool *lock_open_fast(void) {
    _Atomic bool *locked = spin_try_owner(&s_lock);

    if (UNLIKELY(!locked) || LIKELY(s_open == account_t_within))
        return locked;
    spin_unlock(locked);
    return NULL;
}

/* For what is called by nobody's hook: one that a signal handler calls meanwhile must not enter. */
static void lock_apart(void) {
    account_t_within = UINT64_MAX;
    s_apart = spin_lock(&s_lock);
}

static void unlock_apart(void) {
    spin_unlock(s_apart);
    account_t_within = 0;
}

/* What it counts as. */
ALWAYS_INLINE struct amount amount_of(const struct block *block) {
    if (UNLIKELY(block->sample))
        return sample_weight(block->size, block->address);
    return (struct amount){block->size, 1};
}

ALWAYS_INLINE void charge(struct place *place, uint64_t size, struct amount amount) {
    places_add(&s_places, place, amount);
    if (size > place->biggest)
        place->biggest = size;
}

/* The block is none any more. */
static void uncharge(const struct block *block) {
    places_remove(&s_places, places_number(&s_places, block->place), amount_of(block));
    if (block->sample)
        sample_filter_remove(&account_samples, block->address);
}

/* Where another one may be known at its address: that one was freed unseen. False: no memory. */
static bool keep(const struct block *block) {
    struct block was;

    if (UNLIKELY(known_take(&s_known, block->address, &was)))
        uncharge(&was);
    if (!known_put(&s_known, block))
        return false;
    if (block->sample)
        sample_filter_add(&account_samples, block->address);
    return true;
}

/* Under the lock. */
static void add(uint64_t address, uint64_t size, bool sample) {
    struct where where = where_now();
    struct block block = {
        .address = address,
        .size = size & BLOCK_SIZES,
        .epoch = s_history.epochs.now,
        .sample = sample,
        .call = where.call,
    };
    struct place *place;

    if (UNLIKELY(where.hidden))
        return;
    t_last_node = where.node;
    place = places_of(&s_places, where.tree, where.node, where.line);
    block.place = place ? place->number : 0;
    if (place && keep(&block))
        charge(place, size, amount_of(&block));
    else
        s_lost++;
}

static NOINLINE void add_slowly(void *address, uint64_t size, bool sample) {
    _Atomic bool *locked = address ? lock_open() : NULL;

    if (!locked)
        return;
    add((uint64_t)(uintptr_t)address, size, sample);
    spin_unlock(locked);
}

void account_add_sample(void *address, size_t size) {
    uint64_t seed = (uint64_t)(uintptr_t)&account_t_sampling ^ s_opened << 32;

    if (address && sample_next(&account_t_sampling, size, seed))
        add_slowly(address, size, true);
}

/* The same as above where nothing is out of the ordinary, without a call, hence without a register
 * to save. False: it is, and nothing has happened. Under the lock. */
ALWAYS_INLINE bool add_fast(uint64_t address, uint64_t size, uint32_t epoch) {
    struct where where = where_now();
    struct place *place = places_recent(&s_places, where.node, where.line);

    if (UNLIKELY(where.hidden || !place) ||
        UNLIKELY(!known_put_small(&s_known, address, size, place->number, where.call, epoch)))
        return false;
    t_last_node = where.node;
    charge(place, size, (struct amount){size, 1});
    return true;
}

/* Unlocks. */
ALWAYS_INLINE void add_locked(_Atomic bool *locked, void *address, size_t size, uint32_t epoch) {
    bool done = add_fast((uint64_t)(uintptr_t)address, size, epoch);

    spin_unlock(locked);
    if (UNLIKELY(!done))
        add_slowly(address, size, false);
}

/* In any epoch but the first. By itself, because it needs more registers. */
static NOINLINE void add_later(_Atomic bool *locked, void *address, size_t size) {
    add_locked(locked, address, size, s_history.epochs.now);
}

HOT void account_add_block(void *address, size_t size) {
    _Atomic bool *locked = lock_open_fast();

    if (UNLIKELY(!locked))
        add_slowly(address, size, false);
    else if (UNLIKELY(s_history.epochs.now))
        add_later(locked, address, size);
    else
        add_locked(locked, address, size, 0);
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

/* Under the lock: the block, which was known, is freed. */
ALWAYS_INLINE void drop(struct place *place, uint32_t call, struct amount amount) {
    places_remove(&s_places, place, amount);
    if (is_temporary(place, call)) {
        place->temporary.bytes += amount.bytes;
        place->temporary.blocks += amount.blocks;
    }
}

static NOINLINE void drop_slowly(void *address) {
    _Atomic bool *locked = address ? lock_open() : NULL;
    struct block block;

    if (!locked)
        return;
    if (known_take(&s_known, (uint64_t)(uintptr_t)address, &block)) {
        if (block.sample)
            sample_filter_remove(&account_samples, block.address);
        drop(places_number(&s_places, block.place), block.call, amount_of(&block));
    }
    spin_unlock(locked);
}

HOT void account_drop(void *address) {
    _Atomic bool *locked = lock_open_fast();
    uint64_t *cell = NULL;

    if (LIKELY(locked)) {
        cell = known_small(&s_known, (uint64_t)(uintptr_t)address);
        if (LIKELY(cell)) {
            drop(places_number_recent(&s_places, cells_place(*cell)), cells_call(*cell),
                 (struct amount){cells_size(*cell), 1});
            *cell = 0;
        }
        spin_unlock(locked);
    }
    if (UNLIKELY(!cell))
        drop_slowly(address);
}

void account_moves(void *address, struct account_block *before) {
    _Atomic bool *locked;
    struct block block;

    before->known = false;
    if (!address || account_ignores(address) || !(locked = lock_open()))
        return;
    if (known_take(&s_known, (uint64_t)(uintptr_t)address, &block)) {
        *before = (struct account_block){
            .size = block.size,
            .opened = s_opened,
            .place = block.place,
            .call = block.call,
            .epoch = block.epoch,
            .sample = block.sample,
            .known = true,
        };
        uncharge(&block);
    }
    spin_unlock(locked);
}

/* Unless another block has come there. */
static void put_back(uint64_t address, const struct account_block *before) {
    struct block block = {
        .address = address,
        .size = before->size & BLOCK_SIZES,
        .epoch = before->epoch,
        .sample = before->sample,
        .place = before->place,
        .call = before->call,
    };

    if (known_has(&s_known, address) || !known_put(&s_known, &block))
        return;
    if (block.sample)
        sample_filter_add(&account_samples, address);
    places_put_back(&s_places, places_number(&s_places, block.place), amount_of(&block));
}

void account_restore(void *address, const struct account_block *before) {
    _Atomic bool *locked;

    if (!before->known || !(locked = lock_open()))
        return;
    if (before->opened == s_opened)
        put_back((uint64_t)(uintptr_t)address, before);
    spin_unlock(locked);
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
    _Atomic bool *locked;
    struct place *place;
    struct where where;

    if (!size || mapping.end < begin || !(locked = lock_open()))
        return;
    unmap(begin, mapping.end);
    where = where_now();
    t_last_node = where.node;
    place = places_of(&s_places, where.tree, where.node, where.line);
    mapping.place = place ? place->number : 0;
    mapping.epoch = (uint16_t)s_history.epochs.now;
    if (place && mappings_add(&s_mappings, &mapping))
        charge(place, size, (struct amount){size, 1});
    else
        s_lost++;
    spin_unlock(locked);
}

size_t account_unmapped(void *address, size_t size) {
    uint64_t begin = (uint64_t)(uintptr_t)address;
    _Atomic bool *locked;
    size_t known;

    if (!size || begin + size < begin || !(locked = lock_open()))
        return 0;
    known = unmap(begin, begin + size);
    spin_unlock(locked);
    return known;
}

static void forget(void) {
    known_clear(&s_known);
    mappings_clear(&s_mappings);
    if (s_filtered)
        sample_filter_clear(&account_samples);
    s_filtered = account_mode == ACCOUNT_SAMPLED;
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
    account_mode = sampled ? ACCOUNT_SAMPLED : ACCOUNT_EXACT;
    forget();
    s_open = s_opened;
    admit();
    unlock_apart();
    return true;
}

void account_close(void) {
    lock_apart();
    s_open = 0;
    account_mode = ACCOUNT_CLOSED;
    admit();
    unlock_apart();
}

void account_be_exact(void) {
    lock_apart();
    account_mode = ACCOUNT_EXACT;
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
    return (struct account_parts){s_open, &s_known, &s_mappings, &s_places, &s_history};
}

void account_unlock(void) {
    unlock_apart();
}
