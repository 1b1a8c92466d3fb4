/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/mappings.h"

#include <string.h>

#include "memory/pages.h"

#define FIRST_ROOM 64u
#define MOST_ROOM (1u << 20) /* far more than Linux lets a process have */

/* The first mapping that ends beyond the address. */
static uint32_t first_beyond(const struct mappings *m, uint64_t address) {
    uint32_t low = 0, high = m->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (m->rows[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_room(struct mappings *m) {
    uint32_t room = m->room ? 2 * m->room : FIRST_ROOM;
    struct mapping *rows = m->rows;

    if (m->n < m->room)
        return true;
    if (room > MOST_ROOM)
        return false;
    rows = pages_map(room * sizeof *rows);
    if (!rows)
        return false;
    if (m->n)
        memcpy(rows, m->rows, m->n * sizeof *rows);
    pages_unmap(m->rows);
    m->rows = rows;
    m->room = room;
    return true;
}

static bool insert_at(struct mappings *m, uint32_t at, const struct mapping *mapping) {
    if (!has_room(m))
        return false;
    memmove(&m->rows[at + 1], &m->rows[at], (m->n - at) * sizeof *mapping);
    m->rows[at] = *mapping;
    m->n++;
    return true;
}

bool mappings_add(struct mappings *m, const struct mapping *mapping) {
    return insert_at(m, first_beyond(m, mapping->begin), mapping);
}

static void drop_row(struct mappings *m, uint32_t at) {
    m->n--;
    memmove(&m->rows[at], &m->rows[at + 1], (m->n - at) * sizeof *m->rows);
}

bool mappings_take(struct mappings *m, uint64_t begin, uint64_t end, struct mapping *piece) {
    uint32_t at = first_beyond(m, begin);
    struct mapping *row, rest;

    if (at == m->n || m->rows[at].begin >= end)
        return false;
    row = &m->rows[at];
    *piece = rest = *row;
    rest.begin = end;
    rest.counts = false;
    if (piece->begin >= begin && piece->end <= end) {
        drop_row(m, at);
        return true;
    }
    piece->counts = false;
    if (piece->begin >= begin) { /* what is beyond the end stays */
        piece->end = row->begin = end;
        return true;
    }
    if (piece->end > end && insert_at(m, at + 1, &rest))
        piece->end = end;
    m->rows[at].end = piece->begin = begin;
    return true;
}

void mappings_clear(struct mappings *m) {
    pages_unmap(m->rows);
    memset(m, 0, sizeof *m);
}
