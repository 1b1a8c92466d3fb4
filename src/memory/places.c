/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/places.h"

#include <string.h>

#include "memory/pages.h"

#define FIRST_TABLE_LOG2 9u

static uint64_t spread_place(const struct pyusdt_node *node, int32_t line) {
    uint64_t key = (uint64_t)(uintptr_t)node >> 6; /* a node has a cache line of its own */

    return (key ^ (uint64_t)(uint32_t)line << 40) * 0x9E3779B97F4A7C15u;
}

/* Where the number of that place is in the table, or belongs. */
static uint32_t *lookup(const struct places *p, const struct pyusdt_node *node, int32_t line) {
    uint32_t mask = (UINT32_C(1) << p->table_log2) - 1;
    uint32_t i = (uint32_t)(spread_place(node, line) >> (64 - p->table_log2));

    for (; p->table[i]; i = (i + 1) & mask) {
        const struct place *place = places_number(p, p->table[i] - 1);

        if (place->node == node && place->line == line)
            break;
    }
    return &p->table[i];
}

/* False, and all is as it was: no memory. */
static bool grow_index(struct places *p) {
    uint32_t log2 = p->table ? p->table_log2 + 1 : FIRST_TABLE_LOG2, *old = p->table;
    uint32_t *table = pages_map(sizeof *table << log2);

    if (!table)
        return false;
    p->table = table;
    p->table_log2 = log2;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct place *place = places_number(p, i);

        *lookup(p, place->node, place->line) = i + 1;
    }
    pages_unmap(old);
    return true;
}

static COLD struct place *add_place(struct places *p, const struct calltree *tree,
                                    const struct pyusdt_node *node, int32_t line) {
    struct place **chunk = &p->chunks[p->n / PLACES_IN_CHUNK], *place;

    if (p->n == PLACES_CHUNKS * PLACES_IN_CHUNK)
        return NULL;
    if ((!p->table || p->n >= (UINT32_C(3) << p->table_log2) / 4) && !grow_index(p))
        return NULL;
    if (!*chunk)
        *chunk = pages_map(PLACES_IN_CHUNK * sizeof **chunk);
    if (!*chunk)
        return NULL;
    place = places_number(p, p->n);
    /* It has nothing at any peak that is over. */
    *place =
        (struct place){.tree = tree, .node = node, .line = line, .number = p->n, .peak = p->peak};
    *lookup(p, node, line) = ++p->n;
    return place;
}

struct place *places_look_up(struct places *p, const struct calltree *tree,
                             const struct pyusdt_node *node, int32_t line) {
    uint32_t found = p->table ? *lookup(p, node, line) : 0;

    return found ? places_number(p, found - 1) : add_place(p, tree, node, line);
}

void places_clear(struct places *p) {
    for (int i = 0; i < PLACES_CHUNKS && p->chunks[i]; i++)
        pages_unmap(p->chunks[i]);
    pages_unmap(p->table);
    memset(p, 0, sizeof *p);
}
