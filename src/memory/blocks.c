/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/blocks.h"

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "memory/pages.h"

#define FIRST_ROWS_LOG2 7u /* 3 KiB, within a page */
#define MOST_ROWS_LOG2 24u

/* Blocks are aligned to 16 bytes, most of them. Fibonacci hashing: the high bits of the product
 * depend on every bit of the address. */
ALWAYS_INLINE uint64_t spread(uint64_t address) {
    return (address >> 4) * 0x9E3779B97F4A7C15u;
}

ALWAYS_INLINE struct blocks_shard *shard_of(struct blocks *b, uint64_t h) {
    return &b->shards[h >> (64 - BLOCKS_SHARDS_LOG2)];
}

ALWAYS_INLINE uint64_t home(const struct blocks_shard *s, uint64_t h) {
    return h << BLOCKS_SHARDS_LOG2 >> (s->shift + BLOCKS_SHARDS_LOG2);
}

ALWAYS_INLINE uint32_t rows_log2(const struct blocks_shard *s) {
    return 64 - BLOCKS_SHARDS_LOG2 - s->shift;
}

ALWAYS_INLINE uint64_t mask_of(const struct blocks_shard *s) {
    return (UINT64_C(1) << rows_log2(s)) - 1;
}

/* The row of the address, or the free one where it belongs. There is a free one always. */
ALWAYS_INLINE struct block *seek(const struct blocks_shard *s, uint64_t address, uint64_t h) {
    uint64_t mask = mask_of(s), i = home(s, h);

    while (s->rows[i].address != address && s->rows[i].address)
        i = (i + 1) & mask;
    return &s->rows[i];
}

static COLD bool grow_shard(struct blocks_shard *s) {
    uint32_t old_log2 = s->rows ? rows_log2(s) : 0;
    uint32_t log2 = s->rows ? old_log2 + 1 : FIRST_ROWS_LOG2;
    struct blocks_shard new = {.shift = 64 - BLOCKS_SHARDS_LOG2 - log2, .n = s->n};
    struct block *old = s->rows;

    if (log2 > MOST_ROWS_LOG2)
        return false;
    new.rows = pages_map(sizeof *new.rows << log2);
    if (!new.rows)
        return false;
    new.most = (uint32_t)((UINT64_C(5) << log2) / 8);
    for (uint64_t i = 0; old && i < UINT64_C(1) << old_log2; i++)
        if (old[i].address)
            *seek(&new, old[i].address, spread(old[i].address)) = old[i];
    *s = new;
    pages_unmap(old);
    return true;
}

enum blocks_put blocks_put(struct blocks *b, const struct block *block, struct block *was) {
    uint64_t h = spread(block->address);
    struct blocks_shard *s = shard_of(b, h);
    struct block *row;

    if (UNLIKELY(s->n >= s->most) && !grow_shard(s))
        return BLOCKS_FULL;
    row = seek(s, block->address, h);
    if (UNLIKELY(row->address)) {
        *was = *row;
        *row = *block;
        return BLOCKS_REPLACED;
    }
    *row = *block;
    s->n++;
    return BLOCKS_NEW;
}

/* Moves each block behind the gap into it that would not be found beyond it. */
ALWAYS_INLINE void close_gap(struct blocks_shard *s, struct block *gap) {
    uint64_t mask = mask_of(s);
    uint64_t to = (uint64_t)(gap - s->rows), i = to;

    for (;;) {
        i = (i + 1) & mask;
        if (!s->rows[i].address)
            break;
        if (((i - home(s, spread(s->rows[i].address))) & mask) >= ((i - to) & mask)) {
            s->rows[to] = s->rows[i];
            to = i;
        }
    }
    s->rows[to].address = 0;
}

bool blocks_take(struct blocks *b, uint64_t address, struct block *was) {
    uint64_t h = spread(address);
    struct blocks_shard *s = shard_of(b, h);
    struct block *row = s->rows ? seek(s, address, h) : NULL;

    if (!row || !row->address)
        return false;
    *was = *row;
    close_gap(s, row);
    s->n--;
    return true;
}

void blocks_clear(struct blocks *b) {
    for (int i = 0; i < BLOCKS_SHARDS; i++)
        pages_unmap(b->shards[i].rows);
    memset(b, 0, sizeof *b);
}
