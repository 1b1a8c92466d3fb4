/* SPDX-License-Identifier: Apache-2.0
 *
 * What a function counts by line: a table of rows, one for each line between the first and the last
 * one of its code, whether there is code on it or not, so that a row is found without a search.
 *
 * Code objects that share a record may lie between other lines. What is beyond a table gets another
 * one behind it, of at least as many lines as there are already: few of them, and no row ever
 * moves.
 *
 * Private to: calltree, capture/tracking_inline.h
 *
 * One thread, the owner, makes and counts; any thread may read at any time.
 */
#ifndef PYUSDT_CALLTREE_LINES_H
#define PYUSDT_CALLTREE_LINES_H

#include <stdatomic.h>
#include <stdint.h>

#include "calltree/budget.h"
#include "calltree/calltree_types.h"
#include "calltree/code_record.h"

struct line_row {
    _Atomic uint64_t hits;
    _Atomic uint64_t self;   /* ticks without the contexts below */
    _Atomic uint64_t others; /* what makes self the ticks with them: it may be below 0 meanwhile */
    _Atomic uint32_t errors; /* stays at the largest */
    uint32_t inside;         /* owner's: frames that stand at it, below another of the function */
};
_Static_assert(sizeof(struct line_row) == 32, "two in a cache line");

struct lines {
    _Atomic(struct lines *) next; /* owned; beyond this one; NULL: none yet */
    int32_t first;
    uint32_t n;
    _Alignas(32) struct line_row rows[];
};

/* What a function has until its first hit: no line. */
extern struct lines lines_none;

/* A function's first table: lines_none, or owned. */
typedef _Atomic(struct lines *) lines_place;

/* The row of `line` of the function `code`, made where there is none and the record's code goes so
 * far; NULL: no memory, or no line of a lined record. Owner. */
struct line_row *lines_visit(lines_place *place, const struct code_record *code, int32_t line,
                             struct budget budget);

/* As calltree_walk_lines(), for the function `code`. Any thread. */
int lines_walk(const lines_place *place, const struct code_record *code, calltree_line_visitor fn,
               void *arg);

/* Forgets all counts. Owner. */
void lines_clear(lines_place *place);

/* Frees all. Nobody may use them any more. */
void lines_free(lines_place *place);

#endif
