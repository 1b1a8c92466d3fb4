/* SPDX-License-Identifier: Apache-2.0
 *
 * What the account has, read out of it; and the moments of steps and marks.
 */
#include <string.h>

#include "base/clock.h"
#include "memory/account.h"
#include "memory/history.h"
#include "memory/sample.h"

_Static_assert(ACCOUNT_PIECES == BLOCKS_SHARDS + CELLS_TABLE + 1, "the mappings are one");
_Static_assert((int)ACCOUNT_EPOCHS == (int)EPOCHS_MAX, "all of them");
_Static_assert(ACCOUNT_POINTS == GROWTH_NAMES * GROWTH_POINTS, "all of them");

static void read_place(const struct places *places, uint32_t number, struct account_row *row) {
    const struct place *place = places_number(places, number);
    struct amount peak = places_at_peak(places, place);

    *row = (struct account_row){
        .tree = place->tree,
        .node = place->node,
        .line = place->line,
        .allocated_bytes = place->allocated.bytes,
        .allocated_blocks = place->allocated.blocks,
        .freed_bytes = place->freed.bytes,
        .freed_blocks = place->freed.blocks,
        .temporary_bytes = place->temporary.bytes,
        .temporary_blocks = place->temporary.blocks,
        .peak_bytes = peak.bytes,
        .peak_blocks = peak.blocks,
        .biggest = place->biggest,
    };
}

unsigned account_read(uint32_t first, struct account_row *rows, unsigned n) {
    struct account_parts parts = account_lock();
    unsigned i = 0;

    for (; i < n && first + i < parts.places->n; i++)
        read_place(parts.places, first + i, &rows[i]);
    account_unlock();
    return i;
}

struct account_moment account_step_begins(void) {
    struct account_moment moment = {0};
    struct account_parts parts;

    if (!account_is_open())
        return moment;
    parts = account_lock();
    if (parts.opening) {
        moment.opening = parts.opening;
        moment.allocated = parts.places->allocated;
        moment.freed = moment.allocated - parts.places->live.bytes;
        moment.stretch = highs_next(&parts.history->highs, places_lower(parts.places));
        moment.ticks = clock_ticks();
        epochs_step(&parts.history->epochs, moment.ticks, moment.allocated);
    }
    account_unlock();
    return moment;
}

bool account_step_ends(const struct account_moment *begin, uint64_t ticks,
                       struct account_span *span) {
    struct account_parts parts;
    bool is_known;

    if (!begin->opening || !account_is_open())
        return false;
    parts = account_lock();
    is_known = parts.opening == begin->opening;
    if (is_known) {
        uint64_t allocated = parts.places->allocated;

        span->allocated = allocated - begin->allocated;
        span->freed = allocated - parts.places->live.bytes - begin->freed;
        highs_next(&parts.history->highs, places_lower(parts.places));
        if (!highs_since(&parts.history->highs, begin->stretch, &span->peak))
            span->peak = ACCOUNT_NOT_KNOWN;
        epochs_step(&parts.history->epochs, ticks, allocated);
    }
    account_unlock();
    return is_known;
}

void account_step_of(uint32_t name) {
    struct account_parts parts = account_lock();

    if (parts.opening)
        growth_step(&parts.history->growth, parts.places, name);
    account_unlock();
}

void account_mark(uint64_t ticks) {
    struct account_parts parts;

    if (!account_is_open())
        return;
    parts = account_lock();
    if (parts.opening)
        epochs_mark(&parts.history->epochs, ticks, parts.places->allocated);
    account_unlock();
}

static struct account_living living(const struct block *block) {
    struct account_living row = {
        .place = block->place,
        .epoch = block->epoch,
        .bytes = block->size,
        .blocks = 1,
    };

    if (block->sample) {
        struct amount amount = sample_weight(row.bytes, block->address);

        row.bytes = amount.bytes;
        row.blocks = amount.blocks;
    }
    return row;
}

static size_t read_shard(const struct blocks_shard *s, struct account_living *rows, size_t room) {
    size_t n = 0;

    for (uint32_t i = 0; s->n <= room && n < s->n; i++)
        if (s->rows[i].address)
            rows[n++] = living(&s->rows[i]);
    return s->n;
}

static size_t read_region(const struct cells_region *r, struct account_living *rows, size_t room) {
    size_t n = 0;

    for (int i = 0; r->cells && i < CELLS_IN_REGION; i++) {
        if (!r->cells[i])
            continue;
        if (n < room)
            rows[n] = (struct account_living){
                .place = cells_place(r->cells[i]),
                .epoch = r->epochs ? r->epochs[i] : 0,
                .bytes = cells_size(r->cells[i]),
                .blocks = 1,
            };
        n++;
    }
    return n;
}

static size_t read_mappings(const struct mappings *m, struct account_living *rows, size_t room) {
    for (uint32_t i = 0; m->n <= room && i < m->n; i++)
        rows[i] = (struct account_living){
            .place = m->rows[i].place,
            .epoch = m->rows[i].epoch,
            .bytes = m->rows[i].end - m->rows[i].begin,
            .blocks = m->rows[i].counts,
        };
    return m->n;
}

size_t account_read_living(unsigned piece, struct account_living *rows, size_t room) {
    struct account_parts parts = account_lock();
    size_t n;

    if (piece < BLOCKS_SHARDS)
        n = read_shard(&parts.known->blocks.shards[piece], rows, room);
    else if (piece < BLOCKS_SHARDS + CELLS_TABLE)
        n = read_region(&parts.known->cells.regions[piece - BLOCKS_SHARDS], rows, room);
    else
        n = read_mappings(parts.mappings, rows, room);
    account_unlock();
    return n;
}

unsigned account_epochs(uint64_t began[ACCOUNT_EPOCHS]) {
    struct account_parts parts = account_lock();
    const struct epochs *epochs = &parts.history->epochs;
    unsigned n = epochs->now + 1;

    memcpy(began, epochs->began, n * sizeof *began);
    account_unlock();
    return n;
}

unsigned account_points(struct account_point points[ACCOUNT_POINTS], uint64_t *version) {
    struct account_parts parts = account_lock();
    const struct growth *growth = &parts.history->growth;
    unsigned n = 0;

    for (uint32_t i = 0; i < growth->n; i++)
        for (uint32_t j = 0; j < growth->series[i].n; j++) {
            const struct growth_point *point = &growth->series[i].points[j];

            points[n++] =
                (struct account_point){point->iteration, point->total, growth->series[i].name};
        }
    *version = growth->changes;
    account_unlock();
    return n;
}

int account_read_points(uint64_t version, uint32_t first, unsigned n, uint64_t *bytes) {
    struct account_parts parts = account_lock();
    const struct growth *growth = &parts.history->growth;
    int found = -1;

    if (growth->changes != version)
        goto out;
    for (found = 0; (unsigned)found < n && first + (uint32_t)found < parts.places->n; found++)
        for (uint32_t i = 0; i < growth->n; i++)
            for (uint32_t j = 0; j < growth->series[i].n; j++)
                *bytes++ = growth_at(&growth->series[i].points[j], first + (uint32_t)found);
out:
    account_unlock();
    return found;
}
