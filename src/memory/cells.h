/* SPDX-License-Identifier: Apache-2.0
 *
 * The small blocks that live, by their addresses: a cell for each 16 bytes of the memory where they
 * lie.
 *
 *     address --its region of 1 MiB--> cells --16 bytes each--> call | size | place + 1
 *                                      epochs, beside them
 *
 * Python's blocks are small and close together, and so are their cells: nothing is searched for,
 * and what follows each other in memory is in one cache line. There are regions for so much memory
 * only; what has no cell goes elsewhere (see known.h).
 *
 * A region has epochs once a block of it is of another epoch than the first: where the program
 * makes no steps and no marks, there are none.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_CELLS_H
#define PYUSDT_MEMORY_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum { CELLS_BYTES_LOG2 = 4, CELLS_REGION_LOG2 = 20 };
enum { CELLS_IN_REGION = 1 << (CELLS_REGION_LOG2 - CELLS_BYTES_LOG2) };

/* 512 KiB of cells each; and the table of regions, of which most are empty. */
enum { CELLS_REGIONS = 768, CELLS_TABLE = 2048 };

/* In a cell. */
enum { CELLS_PLACE_BITS = 22, CELLS_SIZE_BITS = 10 };
enum { CELLS_MOST_BYTES = (1 << CELLS_SIZE_BITS) - 1 };

/* Zeros are no cells. */
struct cells {
    struct cells_region {
        _Alignas(32) uint64_t number; /* address / 1 MiB */
        uint64_t *cells;              /* owned; NULL: there are none; 0: no block begins there */
        uint16_t *epochs;             /* of each of them; owned; NULL: all are 0 */
    } regions[CELLS_TABLE];
    uint32_t n;
};

/* A block of at most CELLS_MOST_BYTES; its place is below 2^CELLS_PLACE_BITS - 1. */
ALWAYS_INLINE uint64_t cells_pack(uint64_t size, uint32_t place, uint32_t call) {
    return (uint64_t)call << 32 | size << CELLS_PLACE_BITS | (place + 1);
}

ALWAYS_INLINE uint64_t cells_size(uint64_t cell) {
    return cell >> CELLS_PLACE_BITS & CELLS_MOST_BYTES;
}

ALWAYS_INLINE uint32_t cells_place(uint64_t cell) {
    return ((uint32_t)cell & ((1u << CELLS_PLACE_BITS) - 1)) - 1;
}

ALWAYS_INLINE uint32_t cells_call(uint64_t cell) {
    return (uint32_t)(cell >> 32);
}

/* The cell of an address in a region; NULL: it has none. */
ALWAYS_INLINE uint64_t *cells_in(const struct cells_region *region, uint64_t address) {
    if (UNLIKELY(address % (1 << CELLS_BYTES_LOG2) || !region->cells))
        return NULL;
    return &region->cells[(address >> CELLS_BYTES_LOG2) % CELLS_IN_REGION];
}

/* Where the region of an address is, or another one; the search begins there. */
ALWAYS_INLINE struct cells_region *cells_home(struct cells *c, uint64_t address) {
    return &c->regions[(address >> CELLS_REGION_LOG2) % CELLS_TABLE];
}

/* The cell of an address, if it is found at once; else NULL. */
ALWAYS_INLINE uint64_t *cells_find_fast(struct cells *c, uint64_t address) {
    const struct cells_region *region = cells_home(c, address);

    return LIKELY(region->number == address >> CELLS_REGION_LOG2) ? cells_in(region, address)
                                                                  : NULL;
}

/* The cell of an address; NULL: it has none. */
uint64_t *cells_find(struct cells *c, uint64_t address);

/* The same, where its region may have to get its cells first. NULL: it gets none. */
uint64_t *cells_make(struct cells *c, uint64_t address);

/* Sets the epoch of an address that has a cell which is found at once. False: it has none, or its
 * region has no epochs. */
ALWAYS_INLINE bool cells_set_epoch_fast(struct cells *c, uint64_t address, uint16_t epoch) {
    const struct cells_region *region = cells_home(c, address);

    if (UNLIKELY(region->number != address >> CELLS_REGION_LOG2 || !region->epochs))
        return false;
    region->epochs[(address >> CELLS_BYTES_LOG2) % CELLS_IN_REGION] = epoch;
    return true;
}

/* Sets the epoch of an address that has a cell. False: no memory. */
bool cells_set_epoch(struct cells *c, uint64_t address, uint16_t epoch);

/* The epoch of an address that has a cell. */
uint16_t cells_epoch(struct cells *c, uint64_t address);

/* Empties all cells and gives their memory back; as blocks_clear(). */
void cells_clear(struct cells *c);

#endif
