/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/growth.h"

#include <stddef.h>
#include <string.h>

#include "memory/pages.h"

/* NULL: there are others enough. */
static struct growth_series *series_of(struct growth *g, uint32_t name) {
    struct growth_series *s = g->series;

    while (s < g->series + g->n && s->name != name)
        s++;
    if (s == g->series + GROWTH_NAMES)
        return NULL;
    if (s == g->series + g->n) {
        *s = (struct growth_series){.name = name, .apart = 1, .next = 1};
        g->n++;
    }
    return s;
}

/* splitmix64 */
static uint64_t random_of(struct growth *g) {
    uint64_t z = g->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Every other point goes; the last one stays. */
static void halve(struct growth_series *s) {
    for (uint32_t i = 0; i < s->n; i += 2)
        pages_unmap(s->points[i].bytes);
    for (uint32_t i = 1; i < s->n; i += 2)
        s->points[i / 2] = s->points[i];
    s->n /= 2;
    s->apart *= 2;
}

/* Nothing, without memory. */
static void take_point(struct growth_series *s, const struct places *places) {
    struct growth_point point = {s->iterations, places->live.bytes, NULL, places->n};

    point.bytes = pages_map(places->n * sizeof *point.bytes);
    if (!point.bytes)
        return;
    for (uint32_t i = 0; i < places->n; i++)
        point.bytes[i] = places_live(places_number(places, i)).bytes;
    s->points[s->n++] = point;
}

static COLD void take_one(struct growth *g, struct growth_series *s, const struct places *places) {
    g->changing = true;
    g->changes++;
    if (s->n == GROWTH_POINTS)
        halve(s);
    take_point(s, places);
    s->next = s->iterations + 1 + random_of(g) % (2 * s->apart - 1);
    g->changing = false;
}

void growth_step(struct growth *g, const struct places *places, uint32_t name) {
    struct growth_series *s = series_of(g, name);

    if (s && ++s->iterations >= s->next && places->n <= GROWTH_PLACES)
        take_one(g, s, places);
}

void growth_clear(struct growth *g) {
    for (uint32_t i = 0; i < g->n && !g->changing; i++)
        for (uint32_t j = 0; j < g->series[i].n; j++)
            pages_unmap(g->series[i].points[j].bytes);
    memset(g, 0, sizeof *g);
}
