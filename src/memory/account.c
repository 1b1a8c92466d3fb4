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

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "memory/blocks.h"
#include "memory/mappings.h"
#include "memory/places.h"
#include "memory/where.h"

/* How long to wait for the lock before each next way to wait. */
enum { SPINS = 100, YIELDS = 100 };
#define PAUSE_NS 50000

_Atomic uint64_t account_opening; /* written under the lock */
THREAD_LOCAL uint64_t account_t_within;

/* Under the lock. */
static struct blocks s_blocks;
static struct mappings s_mappings;
static struct places s_places;
static uint64_t s_lost;
static uint64_t s_opened; /* counts the openings, and emptyings */

static _Atomic bool s_lock;

/* The place where this thread was last, of that opening. */
static THREAD_LOCAL struct {
    const struct pyusdt_node *node;
    uint64_t opened;
    struct place *place;
    int32_t line;
} t_last;

/* Who has it may wait for a CPU: a thread of a higher priority must not spin it away. Not by
 * nanosleep(), where a thread may be cancelled. */
static COLD void wait_for_lock(void) {
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int error = errno;

    for (unsigned n = 0; atomic_load_explicit(&s_lock, memory_order_relaxed); n++) {
        if (n < SPINS)
            atomic_signal_fence(memory_order_seq_cst);
        else if (n < SPINS + YIELDS)
            sched_yield();
        else
            syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    errno = error;
}

ALWAYS_INLINE void lock_account(void) {
    while (UNLIKELY(atomic_exchange_explicit(&s_lock, true, memory_order_acquire)))
        wait_for_lock();
}

ALWAYS_INLINE void unlock_account(void) {
    atomic_store_explicit(&s_lock, false, memory_order_release);
}

/* For what is called by hooks: false, and no lock, where the account that it entered is closed. */
ALWAYS_INLINE bool lock_open(void) {
    lock_account();
    if (LIKELY(atomic_load_explicit(&account_opening, memory_order_relaxed) == account_t_within))
        return true;
    unlock_account();
    return false;
}

/* For what is called by nobody's hook: one that a signal handler calls meanwhile must not enter. */
static void lock_apart(void) {
    account_t_within = UINT64_MAX;
    lock_account();
}

static void unlock_apart(void) {
    unlock_account();
    account_t_within = 0;
}

/* NULL: no memory. */
ALWAYS_INLINE struct place *place_of(const struct where *where) {
    if (LIKELY(t_last.node == where->node && t_last.line == where->line) &&
        LIKELY(t_last.opened == s_opened))
        return t_last.place;
    t_last.place = places_of(&s_places, where->tree, where->node, where->line);
    t_last.node = where->node;
    t_last.line = where->line;
    t_last.opened = t_last.place ? s_opened : 0;
    return t_last.place;
}

ALWAYS_INLINE struct amount one(uint64_t bytes) {
    return (struct amount){bytes, 1};
}

ALWAYS_INLINE void charge(struct place *place, uint64_t size) {
    places_add(&s_places, place, one(size));
    if (size > place->biggest)
        place->biggest = size;
}

void account_allocated(void *address, size_t size) {
    struct block block = {.address = (uint64_t)(uintptr_t)address, .size = size}, was;
    enum blocks_put put = BLOCKS_FULL;
    struct place *place;
    struct where where;

    if (UNLIKELY(!address) || !lock_open())
        return;
    where = where_now();
    if (UNLIKELY(where.hidden)) {
        unlock_account();
        return;
    }
    place = place_of(&where);
    if (LIKELY(place)) {
        block.place = place->number;
        block.call = where.call;
        put = blocks_put(&s_blocks, &block, &was);
    }
    if (UNLIKELY(put == BLOCKS_FULL))
        s_lost++;
    else if (UNLIKELY(put == BLOCKS_REPLACED))
        places_remove(&s_places, places_number(&s_places, was.place), one(was.size));
    if (LIKELY(put != BLOCKS_FULL))
        charge(place, size);
    unlock_account();
}

/* A call frees what it allocated, in the same context, hence in the same thread; or its variables
 * do, as it ends: then it is called from where we are, and nothing has been allocated here since.
 */
ALWAYS_INLINE bool is_temporary(const struct place *place, const struct block *block) {
    struct where where = where_now();

    if (LIKELY(where.node == place->node))
        return where.call == block->call && where.node;
    return place->node && where.node == place->node->parent && t_last.node != where.node &&
           where_call(place->node) == block->call;
}

void account_freed(void *address) {
    struct place *place;
    struct block was;

    if (!address || !lock_open())
        return;
    if (blocks_take(&s_blocks, (uint64_t)(uintptr_t)address, &was)) {
        place = places_number(&s_places, was.place);
        places_remove(&s_places, place, one(was.size));
        if (is_temporary(place, &was)) {
            place->temporary.bytes += was.size;
            place->temporary.blocks++;
        }
    }
    unlock_account();
}

void account_moves(void *address, struct account_block *before) {
    struct block was;

    before->known = false;
    if (!address || !lock_open())
        return;
    before->known = blocks_take(&s_blocks, (uint64_t)(uintptr_t)address, &was);
    if (before->known) {
        before->size = was.size;
        before->place = was.place;
        before->call = was.call;
        before->opened = s_opened;
        places_remove(&s_places, places_number(&s_places, was.place), one(was.size));
    }
    unlock_account();
}

void account_restore(void *address, const struct account_block *before) {
    struct block block = {.address = (uint64_t)(uintptr_t)address,
                          .size = before->size,
                          .place = before->place,
                          .call = before->call},
                 was;

    if (!before->known || !lock_open())
        return;
    if (before->opened == s_opened && blocks_put(&s_blocks, &block, &was) == BLOCKS_NEW)
        places_put_back(&s_places, places_number(&s_places, block.place), one(block.size));
    unlock_account();
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
    if (place && mappings_add(&s_mappings, &mapping))
        charge(place, size);
    else
        s_lost++;
    unlock_account();
}

size_t account_unmapped(void *address, size_t size) {
    uint64_t begin = (uint64_t)(uintptr_t)address;
    size_t known;

    if (!size || begin + size < begin || !lock_open())
        return 0;
    known = unmap(begin, begin + size);
    unlock_account();
    return known;
}

static void forget(void) {
    blocks_clear(&s_blocks);
    mappings_clear(&s_mappings);
    places_clear(&s_places);
    s_lost = 0;
    s_opened++;
}

static void forked(void) {
    if (s_opened)
        forget();
    if (account_opening)
        account_opening = s_opened;
    unlock_account();
}

bool account_open(void) {
    static bool s_watches; /* forks */

    if (!s_watches && pthread_atfork(NULL, NULL, forked) != 0)
        return false;
    s_watches = true;
    lock_apart();
    forget();
    account_opening = s_opened;
    unlock_apart();
    return true;
}

void account_close(void) {
    lock_apart();
    account_opening = 0;
    unlock_apart();
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

static void read_place(const struct place *place, struct account_row *row) {
    struct amount peak = places_at_peak(&s_places, place);

    *row = (struct account_row){
        .tree = place->tree,
        .node = place->node,
        .line = place->line,
        .allocated_bytes = place->allocated.bytes,
        .allocated_blocks = place->allocated.blocks,
        .freed_bytes = place->freed.bytes,
        .freed_blocks = place->freed.blocks,
        .temporary_bytes = place->temporary.bytes,
        .temporary_blocks = place->temporary.blocks,
        .peak_bytes = peak.bytes,
        .peak_blocks = peak.blocks,
        .biggest = place->biggest,
    };
}

unsigned account_read(uint32_t first, struct account_row *rows, unsigned n) {
    unsigned i = 0;

    lock_apart();
    for (; i < n && first + i < s_places.n; i++)
        read_place(places_number(&s_places, first + i), &rows[i]);
    unlock_apart();
    return i;
}
