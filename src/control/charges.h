/* SPDX-License-Identifier: Apache-2.0
 *
 * Charges: how much time of a thread went where, by place and kind (pyusdt_counts.h).
 *
 * All tables together have a bound. What is charged beyond it goes to "(thread)", and is counted.
 *
 * One thread at a time for a table. No Python.h, no GIL.
 */
#ifndef PYUSDT_CONTROL_CHARGES_H
#define PYUSDT_CONTROL_CHARGES_H

#include <stdbool.h>
#include <stdint.h>

#include "calltree/code_record.h"
#include "pyusdt_counts.h"
#include "pyusdt_node.h"

/* Where a thread is. Zeros are "(thread)". */
struct charge_place {
    uint32_t index;                 /* of the node, or PYUSDT_CHARGE_NO_NODE */
    uint32_t function;              /* id */
    int32_t line;                   /* that its newest call stands at; 0: not known */
    const struct code_record *code; /* borrowed from the tree; NULL: "(thread)", "(others)" */
};

/* The place of a node of a tree that has not been freed. */
struct charge_place charge_place_of(const struct pyusdt_node *node);

struct charge {
    struct charge_place place;
    uint32_t next; /* in its bucket */
    uint32_t syscall, samples;
    uint16_t kind;
    uint64_t ns;
};

/* Zeros are an empty one. */
struct charges {
    struct charge *rows; /* owned; in the order of their first charges */
    uint32_t n, room;
    uint32_t *buckets; /* owned; rows' numbers + 1; a power of two, `room` of them */

    uint64_t thread_ns[PYUSDT_CHARGES]; /* at "(thread)" */
    uint32_t thread_samples[PYUSDT_CHARGES];
};

/* What it is of. */
struct charge_kind {
    uint16_t kind; /* PYUSDT_CHARGE_* */
    uint32_t syscall;
};

void charges_add(struct charges *charges, const struct charge_place *place, struct charge_kind kind,
                 uint32_t samples, uint64_t ns);

/* Calls `fn` for each, with a number that the charge keeps, until it returns other than 0, which is
 * returned. */
typedef int (*charge_visitor)(const struct charge *charge, uint32_t number, void *arg);
int charges_walk(const struct charges *charges, charge_visitor fn, void *arg);

/* Empties the table. */
void charges_clear(struct charges *charges);

/* How many did not get a place of their own. Any thread. */
uint64_t charges_lost(void);

#endif
