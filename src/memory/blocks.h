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
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum { BLOCK_SIZE_BITS = 51 };
#define BLOCK_SIZES (((uint64_t)1 << BLOCK_SIZE_BITS) - 1)

struct block {
    uint64_t address;                      /* 0: none */
    uint64_t size : BLOCK_SIZE_BITS;       /* nobody has 2 PiB */
    uint64_t epoch : 63 - BLOCK_SIZE_BITS; /* in which it was allocated */
    uint64_t sample : 1;                   /* it stands for more */
    uint32_t place;                        /* number of what allocated it */
    uint32_t call;                         /* the call, among those of the place's function */
};

enum { BLOCKS_SHARDS_LOG2 = 7, BLOCKS_SHARDS = 1 << BLOCKS_SHARDS_LOG2 };

/* Zeros are an empty table. */
struct blocks {
    struct blocks_shard {
        struct block *rows; /* owned; NULL, or a power of two of them */
        uint32_t mask;      /* rows - 1 */
        uint32_t shift;     /* 64 - BLOCKS_SHARDS_LOG2 - log2(rows) */
        uint32_t n, most;   /* blocks in it; those that it has room for */
    } shards[BLOCKS_SHARDS];
};

/* Makes a part larger; false, and all is as it was: no memory. */
bool blocks_grow(struct blocks_shard *shard);

/* Blocks are aligned to 16 bytes, most of them. Fibonacci hashing: the high bits of the product
 * depend on every bit of the address. */
ALWAYS_INLINE uint64_t blocks_hash(uint64_t address) {
    return (address >> 4) * 0x9E3779B97F4A7C15u;
}

ALWAYS_INLINE struct blocks_shard *blocks_shard_of(struct blocks *b, uint64_t hash) {
    return &b->shards[hash >> (64 - BLOCKS_SHARDS_LOG2)];
}

/* The row of the address, or the free one where it belongs. There is a free one always. */
ALWAYS_INLINE struct block *blocks_seek(const struct blocks_shard *s, uint64_t address,
                                        uint64_t hash) {
    uint32_t i = (uint32_t)(hash >> s->shift) & s->mask;

    while (s->rows[i].address != address && s->rows[i].address)
        i = (i + 1) & s->mask;
    return &s->rows[i];
}

/* Where a block at that address, which is not 0, is to be: the row that it has, or one whose
 * address is 0 and becomes that. All of the row is the caller's to fill. NULL: no memory. */
ALWAYS_INLINE struct block *blocks_row(struct blocks *b, uint64_t address) {
    uint64_t hash = blocks_hash(address);
    struct blocks_shard *s = blocks_shard_of(b, hash);
    struct block *row;

    if (UNLIKELY(s->n >= s->most) && !blocks_grow(s))
        return NULL;
    row = blocks_seek(s, address, hash);
    s->n += row->address == 0;
    return row;
}

/* The block at an address; NULL: there is none. */
ALWAYS_INLINE struct block *blocks_find(struct blocks *b, uint64_t address) {
    uint64_t hash = blocks_hash(address);
    struct blocks_shard *s = blocks_shard_of(b, hash);
    struct block *row = LIKELY(s->rows) ? blocks_seek(s, address, hash) : NULL;

    return row && row->address ? row : NULL;
}

/* Takes a block out that is there. Each one behind the gap that would not be found beyond it moves
 * into it. */
ALWAYS_INLINE void blocks_drop(struct blocks *b, struct block *row) {
    struct blocks_shard *s = blocks_shard_of(b, blocks_hash(row->address));
    uint32_t to = (uint32_t)(row - s->rows), i = to, home;

    s->n--;
    for (;;) {
        i = (i + 1) & s->mask;
        if (LIKELY(!s->rows[i].address))
            break;
        home = (uint32_t)(blocks_hash(s->rows[i].address) >> s->shift);
        if (((i - home) & s->mask) >= ((i - to) & s->mask)) {
            s->rows[to] = s->rows[i];
            to = i;
        }
    }
    s->rows[to].address = 0;
}

/* Empties the table and gives its memory back. In the child of a fork also a table that another
 * thread was changing: then some pages may be lost. */
void blocks_clear(struct blocks *b);

#endif
