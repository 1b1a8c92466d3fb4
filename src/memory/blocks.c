/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/blocks.h"

#include <string.h>

#include "memory/pages.h"

#define FIRST_ROWS 128u /* 3 KiB, within a page */
#define MOST_ROWS (1u << 24)

COLD bool blocks_grow(struct blocks_shard *s) {
    uint32_t old_n = s->rows ? s->mask + 1 : 0, n = old_n ? 2 * old_n : FIRST_ROWS;
    struct block *rows = n > MOST_ROWS ? NULL : pages_map(n * sizeof *rows), *old = s->rows;

    if (!rows)
        return false;
    s->rows = rows;
    s->mask = n - 1;
    s->shift = 64 - BLOCKS_SHARDS_LOG2 - (uint32_t)__builtin_ctz(n);
    s->most = n / 8 * 5;
    for (uint32_t i = 0; i < old_n; i++)
        if (old[i].address)
            *blocks_seek(s, old[i].address, blocks_hash(old[i].address)) = old[i];
    pages_unmap(old);
    return true;
}

void blocks_clear(struct blocks *b) {
    for (int i = 0; i < BLOCKS_SHARDS; i++)
        pages_unmap(b->shards[i].rows);
    memset(b, 0, sizeof *b);
}
