/* SPDX-License-Identifier: Apache-2.0 */
#include "control/charges.h"
#include "control/snapshot_parts.h"
#include "memory/account.h"

#define ROWS_AT_ONCE 64

/* Whose tree it is; NULL: of no thread whose counts are read. `last` is tried first. */
static const struct reading *reading_of(const struct snapshot *s, const struct calltree *tree,
                                        const struct reading *last) {
    const struct reading *reading = (const struct reading *)s->readings.data;
    const struct reading *end = reading + s->readings.size / sizeof *reading;

    if (last && last->tree == tree)
        return last;
    while (reading < end && reading->tree != tree)
        reading++;
    return reading < end ? reading : NULL;
}

static uint64_t signature_of(const struct pyusdt_counts_memory *row) {
    uint64_t signature = shadow_mix(row->allocated_bytes, row->allocated_blocks);

    signature = shadow_mix(signature, row->freed_bytes);
    signature = shadow_mix(signature, row->freed_blocks);
    signature = shadow_mix(signature, row->peak_bytes);
    return shadow_mix(signature, row->peak_blocks);
}

static struct pyusdt_counts_memory row_of(const struct account_row *from) {
    return (struct pyusdt_counts_memory){
        .allocated_bytes = from->allocated_bytes,
        .allocated_blocks = from->allocated_blocks,
        .freed_bytes = from->freed_bytes,
        .freed_blocks = from->freed_blocks,
        .temporary_bytes = from->temporary_bytes,
        .temporary_blocks = from->temporary_blocks,
        .peak_bytes = from->peak_bytes,
        .peak_blocks = from->peak_blocks,
        .biggest = from->biggest,
    };
}

static void add_to(struct pyusdt_counts_memory *sum, const struct pyusdt_counts_memory *row) {
    sum->allocated_bytes += row->allocated_bytes;
    sum->allocated_blocks += row->allocated_blocks;
    sum->freed_bytes += row->freed_bytes;
    sum->freed_blocks += row->freed_blocks;
    sum->temporary_bytes += row->temporary_bytes;
    sum->temporary_blocks += row->temporary_blocks;
    sum->peak_bytes += row->peak_bytes;
    sum->peak_blocks += row->peak_blocks;
    if (row->biggest > sum->biggest)
        sum->biggest = row->biggest;
}

static bool append(struct snapshot *s, const struct pyusdt_counts_memory *row, uint32_t number) {
    return !shadow_is_new(s->shadow, &s->shadow->memory, number, signature_of(row)) ||
           rows_append(&s->memory, row, sizeof *row) >= 0;
}

static bool add_place(struct snapshot *s, const struct account_row *from, uint32_t number,
                      uint32_t serial) {
    struct charge_place place = charge_place_of(from->node);
    struct pyusdt_counts_memory row = row_of(from);

    row.serial = serial;
    row.index = place.index;
    row.function = place.function;
    row.line = from->line;
    return (!place.index || snapshot_function(s, place.code) >= 0) && append(s, &row, number);
}

int snapshot_memory_place(struct snapshot *s, uint32_t number, struct memory_place *place) {
    struct charge_place of;
    const struct reading *reading;
    struct account_row row;

    if (account_read(number, &row, 1) != 1)
        return 0;
    *place = (struct memory_place){0};
    reading = reading_of(s, row.tree, NULL);
    if (!reading)
        return 1; /* as it is in memory */
    of = charge_place_of(row.node);
    *place = (struct memory_place){reading->row.serial, of.index, of.function, row.line};
    return of.index && snapshot_function(s, of.code) < 0 ? -1 : 1;
}

bool snapshot_read_memory(struct snapshot *s) {
    struct account_row rows[ROWS_AT_ONCE];
    struct pyusdt_counts_memory others = {0}; /* places of no thread whose counts are read */
    const struct reading *reading = NULL;
    uint32_t first = 0;
    unsigned n;

    while ((n = account_read(first, rows, ROWS_AT_ONCE)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            struct pyusdt_counts_memory row = row_of(&rows[i]);

            reading = reading_of(s, rows[i].tree, reading);
            if (!reading)
                add_to(&others, &row);
            else if (!add_place(s, &rows[i], first + i + 1, reading->row.serial))
                return false;
        }
        first += n;
    }
    return !others.allocated_blocks || append(s, &others, 0);
}
