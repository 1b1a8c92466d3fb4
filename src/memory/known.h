/* SPDX-License-Identifier: Apache-2.0
 *
 * The blocks that live: small ones in cells, where there are any, the others in a table.
 *
 *     address --> cell, or, where there are other blocks nearby at all, row of the table
 *
 * A block is in one of both at most. So that a small one needs no look into the table, the others
 * of each part of memory are counted.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_KNOWN_H
#define PYUSDT_MEMORY_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "memory/blocks.h"
#include "memory/cells.h"

/* Parts of memory, for each of which there is one number. */
enum { KNOWN_PART_LOG2 = 14, KNOWN_OTHERS = 1 << 14 };

/* Zeros are no blocks. */
struct known {
    struct cells cells;
    struct blocks blocks;
    uint32_t others[KNOWN_OTHERS]; /* blocks in the table; parts 256 MiB apart share one */
};

ALWAYS_INLINE uint32_t *known_others(struct known *k, uint64_t address) {
    return &k->others[(address >> KNOWN_PART_LOG2) % KNOWN_OTHERS];
}

/* The cell of a small block at that address, if it is found at once; NULL: there may be none, and
 * known_take() is the way. */
ALWAYS_INLINE uint64_t *known_small(struct known *k, uint64_t address) {
    uint64_t *cell = cells_find_fast(&k->cells, address);

    return LIKELY(cell && *cell) ? cell : NULL;
}

/* Whether a block has got a cell. It has not where it is too large for one, where another block may
 * be known at its address, or where its region has no cells yet, or no epochs: then known_take()
 * and known_put() are the way. An epoch that is not 0 is not followed by one that is. */
ALWAYS_INLINE bool known_put_small(struct known *k, uint64_t address, uint64_t size, uint32_t place,
                                   uint32_t call, uint32_t epoch) {
    uint64_t *cell = LIKELY(size <= CELLS_MOST_BYTES) ? cells_find_fast(&k->cells, address) : NULL;

    if (UNLIKELY(!cell || *cell || *known_others(k, address)))
        return false;
    if (epoch && UNLIKELY(!cells_set_epoch_fast(&k->cells, address, (uint16_t)epoch)))
        return false;
    *cell = cells_pack(size, place, call);
    return true;
}

/* A block at whose address none is known. False: no memory. */
bool known_put(struct known *k, const struct block *block);

bool known_has(struct known *k, uint64_t address);

/* Takes the block out that is known at that address. False: there is none. */
bool known_take(struct known *k, uint64_t address, struct block *block);

/* As blocks_clear(). */
void known_clear(struct known *k);

#endif
