/* SPDX-License-Identifier: Apache-2.0
 *
 * What is mapped, by address. Unlike a block, a mapping may be unmapped piece by piece.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_MAPPINGS_H
#define PYUSDT_MEMORY_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>

struct mapping {
    uint64_t begin, end;
    uint32_t place; /* number of what mapped it */
    bool counts;    /* as a block: of the pieces of a mapping, one does */
    uint16_t epoch; /* in which it was mapped */
};

/* Zeros are an empty table. */
struct mappings {
    struct mapping *rows; /* owned; in the order of their addresses, which do not overlap */
    uint32_t n, room;
};

/* Keeps a mapping that overlaps no other one. False: no memory. */
bool mappings_add(struct mappings *m, const struct mapping *mapping);

/* Takes a piece of what is mapped between `begin` and `end` out; false: there is nothing left.
 * Where there is no memory to keep what follows a piece, the piece has that too. */
bool mappings_take(struct mappings *m, uint64_t begin, uint64_t end, struct mapping *piece);

/* As blocks_clear(). */
void mappings_clear(struct mappings *m);

#endif
