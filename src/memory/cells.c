/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/cells.h"

#include <string.h>

#include "memory/pages.h"

/* The row of a region in the table, or the empty one where it belongs. */
static struct cells_region *search(struct cells *c, uint64_t number) {
    uint64_t i = number % CELLS_TABLE;

    while (c->regions[i].cells && c->regions[i].number != number)
        i = (i + 1) % CELLS_TABLE;
    return &c->regions[i];
}

uint64_t *cells_find(struct cells *c, uint64_t address) {
    return cells_in(search(c, address >> CELLS_REGION_LOG2), address);
}

COLD uint64_t *cells_make(struct cells *c, uint64_t address) {
    uint64_t number = address >> CELLS_REGION_LOG2;
    struct cells_region *region = search(c, number);

    if (address % (1 << CELLS_BYTES_LOG2))
        return NULL;
    if (!region->cells && c->n < CELLS_REGIONS) {
        region->cells = pages_map(CELLS_IN_REGION * sizeof *region->cells);
        region->number = number;
        c->n += region->cells != NULL;
    }
    return cells_in(region, address);
}

bool cells_set_epoch(struct cells *c, uint64_t address, uint16_t epoch) {
    struct cells_region *region = search(c, address >> CELLS_REGION_LOG2);

    if (!region->epochs && epoch)
        region->epochs = pages_map(CELLS_IN_REGION * sizeof *region->epochs);
    if (region->epochs)
        region->epochs[(address >> CELLS_BYTES_LOG2) % CELLS_IN_REGION] = epoch;
    return region->epochs || !epoch;
}

uint16_t cells_epoch(struct cells *c, uint64_t address) {
    const uint16_t *epochs = search(c, address >> CELLS_REGION_LOG2)->epochs;

    return epochs ? epochs[(address >> CELLS_BYTES_LOG2) % CELLS_IN_REGION] : 0;
}

void cells_clear(struct cells *c) {
    for (int i = 0; i < CELLS_TABLE; i++) {
        pages_unmap(c->regions[i].cells);
        pages_unmap(c->regions[i].epochs);
    }
    memset(c, 0, sizeof *c);
}
