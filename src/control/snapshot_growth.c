/* SPDX-License-Identifier: Apache-2.0
 *
 * What places had alive at the ends of steps: of those that have grown the most.
 */
#include <stdlib.h>
#include <string.h>

#include "control/snapshot_parts.h"
#include "memory/account.h"

/* Of each name; and how many places are read at once, and how often it is tried while points
 * change. */
enum { GROWN_MAX = 256, PLACES_AT_ONCE = 64, TRIES = 5 };

/* The points of one name. */
struct series {
    unsigned first, n;
    uint32_t changing; /* places */
    uint32_t n_grown;
    struct grown {
        uint32_t place;
        uint64_t bytes; /* more at the last third of the points than at the first, on average */
    } grown[GROWN_MAX]; /* those with the most first */
};

struct growing {
    struct account_point points[ACCOUNT_POINTS];
    unsigned n_points, n_series;
    uint64_t version;
    struct series series[ACCOUNT_POINTS];
    uint64_t bytes[PLACES_AT_ONCE * ACCOUNT_POINTS];
};

static void divide(struct growing *g) {
    g->n_series = 0;
    for (unsigned i = 0; i < g->n_points; i++) {
        if (i == 0 || g->points[i].name != g->points[i - 1].name) {
            struct series *new = &g->series[g->n_series++];

            new->first = i;
            new->n = new->changing = new->n_grown = 0;
        }
        g->series[g->n_series - 1].n++;
    }
}

static uint64_t sum(const uint64_t *bytes, unsigned n) {
    uint64_t all = 0;

    for (unsigned i = 0; i < n; i++)
        all += bytes[i];
    return all;
}

static void keep(struct series *s, struct grown grown) {
    uint32_t at = s->n_grown;

    while (at > 0 && s->grown[at - 1].bytes < grown.bytes)
        at--;
    if (at == GROWN_MAX)
        return;
    s->n_grown += s->n_grown < GROWN_MAX;
    memmove(&s->grown[at + 1], &s->grown[at], (s->n_grown - 1 - at) * sizeof grown);
    s->grown[at] = grown;
}

/* What a place had at the points of the name. */
static void look(struct series *s, uint32_t place, const uint64_t *bytes) {
    unsigned third = s->n / 3;
    uint64_t before, after;

    if (s->n < 2 || !memcmp(bytes, bytes + 1, (s->n - 1) * sizeof *bytes))
        return;
    s->changing++;
    before = sum(bytes, third);
    after = sum(bytes + s->n - third, third);
    if (after > before)
        keep(s, (struct grown){place, (after - before) / third});
}

/* False: the points have changed meanwhile. */
static bool look_at_all(struct growing *g) {
    uint32_t first = 0;
    int n;

    g->n_points = account_points(g->points, &g->version);
    divide(g);
    while ((n = account_read_points(g->version, first, PLACES_AT_ONCE, g->bytes)) > 0) {
        for (int i = 0; i < n; i++)
            for (unsigned j = 0; j < g->n_series; j++)
                look(&g->series[j], first + (uint32_t)i,
                     g->bytes + (unsigned)i * g->n_points + g->series[j].first);
        first += (uint32_t)n;
    }
    return n == 0;
}

static bool append(struct snapshot *s, struct growing *g, const struct series *series,
                   uint32_t number) {
    struct memory_place place;
    int known = snapshot_memory_place(s, number, &place);

    if (known <= 0 || account_read_points(g->version, number, 1, g->bytes) != 1)
        return known >= 0;
    for (unsigned i = series->first; i < series->first + series->n; i++) {
        struct pyusdt_counts_growth row = {
            .serial = place.serial,
            .index = place.index,
            .function = place.function,
            .line = place.line,
            .point = i,
            .bytes = g->bytes[i],
        };

        if (rows_append(&s->growth, &row, sizeof row) < 0)
            return false;
    }
    return true;
}

static bool append_all(struct snapshot *s, struct growing *g) {
    for (unsigned j = 0; j < g->n_series; j++) {
        const struct series *series = &g->series[j];

        for (unsigned i = series->first; i < series->first + series->n; i++) {
            const struct account_point *point = &g->points[i];
            struct pyusdt_counts_point row = {point->iteration, point->bytes, point->name,
                                              series->changing};

            if (rows_append(&s->points, &row, sizeof row) < 0)
                return false;
        }
        for (uint32_t i = 0; i < series->n_grown; i++)
            if (!append(s, g, series, series->grown[i].place))
                return false;
    }
    return true;
}

bool snapshot_read_growth(struct snapshot *s) {
    struct growing *g = calloc(1, sizeof *g);
    bool is_whole = false, fits = g != NULL;

    for (int i = 0; i < TRIES && fits && !is_whole; i++)
        is_whole = look_at_all(g);
    if (is_whole)
        fits = append_all(s, g);
    free(g);
    return fits;
}
