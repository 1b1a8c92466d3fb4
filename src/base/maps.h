/* SPDX-License-Identifier: Apache-2.0
 *
 * What the memory of this process may be used for, as /proc/self/maps has it at one moment.
 *
 * No Python.h, no GIL, no malloc: the list lies in pages of its own. Any thread.
 */
#ifndef PYUSDT_BASE_MAPS_H
#define PYUSDT_BASE_MAPS_H

#include <stddef.h>
#include <stdint.h>

struct maps_range {
    uintptr_t start, end;
    int protection; /* PROT_READ | PROT_WRITE | PROT_EXEC */
};

/* Ranges in the order of their addresses; neighbours that may be used alike are one. */
struct maps {
    struct maps_range *ranges; /* owned */
    size_t n, room;
};

/* 0, or -1 where there is no /proc or no memory. maps_free() follows in any case. */
int maps_read(struct maps *maps);
void maps_free(struct maps *maps);

/* The protection of all bytes from `start` on, or -1 where they have not the same one, or some are
 * not mapped. */
int maps_protection(const struct maps *maps, uintptr_t start, size_t size);

#endif
