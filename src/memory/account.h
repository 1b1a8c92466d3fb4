/* SPDX-License-Identifier: Apache-2.0
 *
 * The account of memory: which blocks live, and what each place of the program has allocated.
 *
 *     allocators' hooks --account_allocated, account_freed--> blocks, places, totals --> recorder
 *
 * A block is known by its address from its allocation to its free. Of what was allocated before
 * the account was opened, or while it was closed, nothing is known, and its free is ignored.
 *
 * Hooks nest: an allocator takes its memory from another one. Only the outermost counts, so that a
 * block is counted once, as large as the program wanted it:
 *
 *     bool counts = account_enter();
 *     void *block = real_malloc(size);
 *
 *     if (counts) {
 *         account_allocated(block, size);
 *         account_leave();
 *     }
 *
 * Any thread, with or without the GIL, also as it ends. Nothing here allocates by what may be
 * hooked, waits for anything but other calls of these functions, changes errno, or needs Python.
 */
#ifndef PYUSDT_MEMORY_ACCOUNT_H
#define PYUSDT_MEMORY_ACCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "memory/sample.h"
#include "pyusdt_node.h"

/* Private to the functions below. */
extern _Atomic uint64_t account_opening;       /* its number; 0: nobody enters */
extern THREAD_LOCAL uint64_t account_t_within; /* in which one this thread entered; 0: in none */
#define ACCOUNT_ASIDE (UINT64_MAX - 1)         /* no number: nothing is accounted for */
extern _Atomic enum account_mode { ACCOUNT_EXACT, ACCOUNT_SAMPLED, ACCOUNT_CLOSED } account_mode;
extern struct sample_filter account_samples; /* where there may be blocks that are samples */
extern THREAD_LOCAL struct sampling account_t_sampling;
void account_add_block(void *address, size_t size);
void account_add_sample(void *address, size_t size);
void account_drop(void *address);

/* Whether what the calling hook does is to be accounted for; then account_leave() follows. False:
 * the account is closed, and not to be entered, or this thread is within another hook. Until it
 * leaves, no other enter of this thread is true. */
static inline bool account_enter(void) {
    uint64_t opening = atomic_load_explicit(&account_opening, memory_order_relaxed);

    if (!opening || account_t_within)
        return false;
    account_t_within = opening;
    return true;
}

/* Whether it is open now. */
static inline bool account_is_open(void) {
    uint64_t opening = atomic_load_explicit(&account_opening, memory_order_relaxed);

    return opening && opening != ACCOUNT_ASIDE;
}

/* The same for a hook whose blocks are not to be in the account. */
static inline bool account_enter_aside(void) {
    bool enters = account_enter();

    if (enters)
        account_t_within = ACCOUNT_ASIDE;
    return enters;
}

static inline void account_leave(void) {
    account_t_within = 0;
}

/* What follows is called between those two. Where the account is closed, or has been meanwhile,
 * nothing happens, even if it was opened again. */

/* A block of `size` bytes, 0 too, was allocated. NULL: it was not. A block that was known at that
 * address was freed unseen. */
static inline void account_allocated(void *address, size_t size) {
    enum account_mode mode = atomic_load_explicit(&account_mode, memory_order_relaxed);

    if (LIKELY(mode == ACCOUNT_EXACT))
        account_add_block(address, size);
    else if (mode == ACCOUNT_SAMPLED && UNLIKELY(!sample_passes(&account_t_sampling, size)))
        account_add_sample(address, size);
}

/* Whether nothing is known of a block, for sure. No need to enter for this. */
static inline bool account_ignores(void *address) {
    enum account_mode mode = atomic_load_explicit(&account_mode, memory_order_relaxed);

    return UNLIKELY(mode != ACCOUNT_EXACT) &&
           (mode == ACCOUNT_CLOSED ||
            !sample_filter_has(&account_samples, (uint64_t)(uintptr_t)address));
}

/* To be called before the block is freed: after that another thread may get its address at once.
 * NULL, and what is not known, is ignored. */
static inline void account_freed(void *address) {
    if (!account_ignores(address))
        account_drop(address);
}

/* A block that may be moved by realloc(): */
struct account_block {
    uint64_t size, opened;
    uint32_t place, call;
    uint16_t epoch;
    bool sample, known;
};

/* as account_freed(), before the call; then account_allocated(), or, where the block stays as it
 * was, account_restore(). */
void account_moves(void *address, struct account_block *before);
void account_restore(void *address, const struct account_block *before);

/* Pages were mapped, each of which may be unmapped by itself: account_unmapped() is called before,
 * and for what a mapping at a fixed address is going to replace. It returns how many bytes of that
 * range were known. */
void account_mapped(void *address, size_t size);
size_t account_unmapped(void *address, size_t size);

/* Opens the account, empty. Sampled: it has blocks now and then, which stand for their like (see
 * sample.h), and all mappings. False: no memory. GIL held, as for the next three. */
bool account_open(bool sampled);

/* From now on, every block is in it. */
void account_be_exact(void);

/* Closes it: once this returns, no hook changes it any more. What was counted can be read until
 * it is cleared, which comes before call trees are freed. */
void account_close(void);
void account_clear(void);

/* Whether hooks enter while it is closed, too, for what else they do. False: no memory. GIL held.
 */
bool account_enter_closed(bool enters);

/* What is alive of what was allocated since the account was opened, and what was when it was the
 * most; how many blocks there was no memory for: they are in no figure. Any time. */
struct account_totals {
    uint64_t bytes, blocks;
    uint64_t peak_bytes, peak_blocks;
    uint64_t lost;
};
void account_totals(struct account_totals *totals);

struct calltree;

/* A place: a calling context at a line. */
struct account_row {
    const struct calltree *tree;    /* borrowed; NULL: no thread of Python's */
    const struct pyusdt_node *node; /* of the tree, or NULL */
    int32_t line;                   /* of its function, or, where that is in C, of what called it;
                                     * 0: not known */
    uint64_t allocated_bytes, allocated_blocks;
    uint64_t freed_bytes, freed_blocks;
    uint64_t temporary_bytes, temporary_blocks; /* of those: by the call that had allocated
                                                   them, or as it ended */
    uint64_t peak_bytes, peak_blocks;           /* alive when all together had the most */
    uint64_t biggest;
};

/* Reads up to `n` places from number `first` on; how many there were. A place keeps its number
 * until the account is opened again. Those of one call are of one moment. Any thread, any time. */
unsigned account_read(uint32_t first, struct account_row *rows, unsigned n);

/* A moment, and what there had been until then. `opening` 0: the account was closed. */
struct account_moment {
    uint64_t opening, ticks, allocated, freed;
    uint64_t stretch; /* of highs.h */
};

/* A step begins: now. */
struct account_moment account_step_begins(void);

/* What was allocated and freed by anybody since a step began, and the most that was alive within;
 * ACCOUNT_NOT_KNOWN: that is not known. */
#define ACCOUNT_NOT_KNOWN UINT64_MAX
struct account_span {
    uint64_t allocated, freed, peak;
};

/* A step ends, at `ticks`. False: since it began, the account was not open all the time. */
bool account_step_ends(const struct account_moment *begin, uint64_t ticks,
                       struct account_span *span);

/* Of those that have ended, it was one of that name: see growth.h. */
void account_step_of(uint32_t name);

/* The program marks something: what is allocated from now on is newer. */
void account_mark(uint64_t ticks);

/* Blocks that live: whose, and since when. Mappings too. */
struct account_living {
    uint32_t place; /* its number: of the row that account_read() gives */
    uint32_t epoch;
    uint64_t bytes, blocks;
};

/* They are read in so many pieces, each of one moment. How many there are in a piece; `rows` has
 * them where there is room for all. Any thread, any time, as for the next. */
enum { ACCOUNT_PIECES = 2177, ACCOUNT_EPOCHS = 4096 };
size_t account_read_living(unsigned piece, struct account_living *rows, size_t room);

/* When the epochs began, in ticks; how many there are. */
unsigned account_epochs(uint64_t began[ACCOUNT_EPOCHS]);

/* The points of growth.h, those of each name in their order. */
enum { ACCOUNT_POINTS = 4 * 64 };
struct account_point {
    uint64_t iteration, bytes; /* of all places */
    uint32_t name;
};

/* How many there are; `version` is for the next function. */
unsigned account_points(struct account_point points[ACCOUNT_POINTS], uint64_t *version);

/* What places had at those, from number `first` on: `n_points` figures each. How many places there
 * were, up to `n`; -1: the points have changed. */
int account_read_points(uint64_t version, uint32_t first, unsigned n, uint64_t *bytes);

#endif
