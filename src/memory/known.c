/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/known.h"

#include <string.h>

bool known_put(struct known *k, const struct block *block) {
    bool small = block->size <= CELLS_MOST_BYTES && !block->sample;
    uint64_t *cell = small ? cells_make(&k->cells, block->address) : NULL;
    struct block *row;

    if (cell && cells_set_epoch(&k->cells, block->address, block->epoch)) {
        *cell = cells_pack(block->size, block->place, block->call);
        return true;
    }
    row = blocks_row(&k->blocks, block->address);
    if (!row)
        return false;
    *row = *block;
    ++*known_others(k, block->address);
    return true;
}

bool known_has(struct known *k, uint64_t address) {
    const uint64_t *cell = cells_find(&k->cells, address);

    return (cell && *cell) || (*known_others(k, address) && blocks_find(&k->blocks, address));
}

bool known_take(struct known *k, uint64_t address, struct block *block) {
    uint64_t *cell = cells_find(&k->cells, address);
    struct block *row;

    if (cell && *cell) {
        *block = (struct block){
            .address = address,
            .size = cells_size(*cell),
            .epoch = cells_epoch(&k->cells, address),
            .place = cells_place(*cell),
            .call = cells_call(*cell),
        };
        *cell = 0;
        return true;
    }
    row = *known_others(k, address) ? blocks_find(&k->blocks, address) : NULL;
    if (!row)
        return false;
    *block = *row;
    blocks_drop(&k->blocks, row);
    --*known_others(k, address);
    return true;
}

void known_clear(struct known *k) {
    cells_clear(&k->cells);
    blocks_clear(&k->blocks);
    memset(k->others, 0, sizeof k->others);
}
