/* SPDX-License-Identifier: Apache-2.0 */
#include "control/charges.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "calltree/calltree.h"

#define BYTES_MAX ((int64_t)16 << 20)
#define FIRST_ROOM 32u
#define BYTES_A_ROW ((int64_t)(sizeof(struct charge) + sizeof(uint32_t)))

static _Atomic int64_t s_left = BYTES_MAX;
static _Atomic uint64_t s_lost;

/* Index 1 is that of all nodes whose contexts are given up. */
struct charge_place charge_place_of(const struct pyusdt_node *node) {
    const struct code_record *code = calltree_function(node);
    int32_t line = code ? __atomic_load_n(&node->current_line, __ATOMIC_RELAXED) : 0;

    if (node->index != 1)
        return (struct charge_place){node->index, node->id, line, code};
    return (struct charge_place){PYUSDT_CHARGE_NO_NODE, code ? code->id : PYUSDT_ID_OTHERS, line,
                                 code};
}

static uint32_t *bucket_of(const struct charges *c, const struct charge_place *place,
                           struct charge_kind kind) {
    uint64_t key = (uint64_t)place->index << 32 | place->function;

    key ^= (uint64_t)(uint32_t)place->line << 40 ^ (uint64_t)kind.syscall << 16 ^ kind.kind;
    key *= 0x9E3779B97F4A7C15u;
    return &c->buckets[key >> 32 & (c->room - 1)];
}

static bool is_of(const struct charge *row, const struct charge_place *place,
                  struct charge_kind kind) {
    return row->place.index == place->index && row->place.function == place->function &&
           row->place.line == place->line && row->kind == kind.kind && row->syscall == kind.syscall;
}

static bool claim(int64_t bytes) {
    if (atomic_fetch_sub(&s_left, bytes) >= bytes)
        return true;
    atomic_fetch_add(&s_left, bytes);
    return false;
}

static void put_in_buckets(struct charges *c) {
    memset(c->buckets, 0, c->room * sizeof *c->buckets);
    for (uint32_t i = 0; i < c->n; i++) {
        struct charge *row = &c->rows[i];
        uint32_t *bucket = bucket_of(c, &row->place, (struct charge_kind){row->kind, row->syscall});

        row->next = *bucket;
        *bucket = i + 1;
    }
}

/* False, and all is as it was: there is no memory, or not for this. */
static bool grow(struct charges *c) {
    uint32_t more = c->room ? c->room : FIRST_ROOM;
    uint32_t room = c->room + more;
    struct charge *rows;
    uint32_t *buckets;

    if (!claim(more * BYTES_A_ROW))
        return false;
    buckets = malloc(room * sizeof *buckets);
    rows = buckets ? realloc(c->rows, room * sizeof *rows) : NULL;
    if (!rows) {
        free(buckets);
        atomic_fetch_add(&s_left, more * BYTES_A_ROW);
        return false;
    }
    free(c->buckets);
    c->buckets = buckets;
    c->rows = rows;
    c->room = room;
    put_in_buckets(c);
    return true;
}

/* NULL: it gets none. */
static struct charge *row_of(struct charges *c, const struct charge_place *place,
                             struct charge_kind kind) {
    uint32_t i = c->room ? *bucket_of(c, place, kind) : 0, *bucket;

    while (i && !is_of(&c->rows[i - 1], place, kind))
        i = c->rows[i - 1].next;
    if (i)
        return &c->rows[i - 1];
    if (c->n == c->room && !grow(c))
        return NULL;
    bucket = bucket_of(c, place, kind);
    c->rows[c->n] = (struct charge){
        .place = *place, .next = *bucket, .kind = kind.kind, .syscall = kind.syscall};
    *bucket = ++c->n;
    return &c->rows[c->n - 1];
}

void charges_add(struct charges *c, const struct charge_place *place, struct charge_kind kind,
                 uint32_t samples, uint64_t ns) {
    struct charge *row = place->index ? row_of(c, place, kind) : NULL;

    if (row) {
        row->samples += samples;
        row->ns += ns;
        return;
    }
    if (place->index)
        s_lost++;
    c->thread_samples[kind.kind] += samples;
    c->thread_ns[kind.kind] += ns;
}

int charges_walk(const struct charges *c, charge_visitor fn, void *arg) {
    int ret = 0;

    for (uint16_t kind = 0; kind < PYUSDT_CHARGES && ret == 0; kind++) {
        struct charge charge = {
            .kind = kind, .samples = c->thread_samples[kind], .ns = c->thread_ns[kind]};

        if (charge.samples || charge.ns)
            ret = fn(&charge, kind, arg);
    }
    for (uint32_t i = 0; i < c->n && ret == 0; i++)
        ret = fn(&c->rows[i], PYUSDT_CHARGES + i, arg);
    return ret;
}

void charges_clear(struct charges *c) {
    atomic_fetch_add(&s_left, c->room * BYTES_A_ROW);
    free(c->rows);
    free(c->buckets);
    *c = (struct charges){0};
}

uint64_t charges_lost(void) {
    return s_lost;
}
