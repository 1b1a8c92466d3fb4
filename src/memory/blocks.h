/* SPDX-License-Identifier: Apache-2.0
 *
 * The blocks that live, by their addresses.
 *
 * A hash table in SHARDS parts, each of which grows by itself: what an allocation waits for is the
 * growth of one part, some milliseconds where there are ten million blocks. A part is an array in
 * which a block lies at its hash's place or, where others are there, soon after; no removal leaves
 * a gap between.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_BLOCKS_H
#define PYUSDT_MEMORY_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct block {
    uint64_t address; /* 0: none */
    uint64_t size;
    uint32_t place; /* number of what allocated it */
    uint32_t call;  /* the call, among those of the place's function */
};

enum { BLOCKS_SHARDS_LOG2 = 7, BLOCKS_SHARDS = 1 << BLOCKS_SHARDS_LOG2 };

/* Zeros are an empty table. */
struct blocks {
    struct blocks_shard {
        struct block *rows; /* owned; NULL, or a power of two of them */
        uint32_t shift;     /* 64 - BLOCKS_SHARDS_LOG2 - log2(rows) */
        uint32_t n, most;   /* blocks in it; those that it has room for */
    } shards[BLOCKS_SHARDS];
};

enum blocks_put { BLOCKS_NEW, BLOCKS_REPLACED, BLOCKS_FULL };

/* Keeps a block; its address is not 0. Replaced: `was` is the one that was at the address. Full:
 * all is as it was, for lack of memory. */
enum blocks_put blocks_put(struct blocks *b, const struct block *block, struct block *was);

/* Takes the block at an address out; false, and `was` is as before: there is none. */
bool blocks_take(struct blocks *b, uint64_t address, struct block *was);

/* Empties the table and gives its memory back. In the child of a fork also a table that another
 * thread was changing: then some pages may be lost. */
void blocks_clear(struct blocks *b);

#endif
