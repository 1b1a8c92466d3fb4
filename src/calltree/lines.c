/* SPDX-License-Identifier: Apache-2.0 */
#include "calltree/lines.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* A function has at most so many lines: numbers that a program makes up may lie anywhere. */
#define MOST_LINES (1 << 20)

struct lines lines_none;

static struct lines *first_of(lines_place *place) {
    struct lines *lines = atomic_load_explicit(place, memory_order_relaxed);

    return lines == &lines_none ? NULL : lines;
}

static struct lines *next_of(const struct lines *lines) {
    return atomic_load_explicit(&lines->next, memory_order_relaxed);
}

static struct line_row *find_row(lines_place *place, int32_t line) {
    for (struct lines *lines = first_of(place); lines; lines = next_of(lines)) {
        uint32_t index = (uint32_t)line - (uint32_t)lines->first;

        if (index < lines->n)
            return &lines->rows[index];
    }
    return NULL;
}

/* What is known, from `first` up to but without `end`, and the last table; false: nothing is. */
static bool known(lines_place *place, int64_t *first, int64_t *end, struct lines **last) {
    *last = NULL;
    for (struct lines *lines = first_of(place); lines; lines = next_of(lines)) {
        int64_t begins = lines->first, ends = begins + lines->n;

        if (!*last || begins < *first)
            *first = begins;
        if (!*last || ends > *end)
            *end = ends;
        *last = lines;
    }
    return *last != NULL;
}

static struct lines *make_lines(struct budget budget, int64_t first, int64_t end) {
    size_t rows = (size_t)(end - first);
    size_t size = sizeof(struct lines) + rows * sizeof(struct line_row);
    struct lines *lines = NULL;

    if (end - first <= MOST_LINES)
        lines = budget_claim(budget, (size + 63) & ~(size_t)63);
    if (lines) {
        lines->first = (int32_t)first;
        lines->n = (uint32_t)rows;
    }
    return lines;
}

/* The tables together are one span without a hole: the next one lies below or above it, and is as
 * large as all of them, where there are so many lines and memory. */
static struct lines *extend_lines(struct budget budget, int64_t first, int64_t end, int32_t line) {
    int64_t size = end - first;

    if (line < first) {
        int64_t begins = first - size < line ? first - size : line;

        return make_lines(budget, begins < 1 ? 1 : begins, first);
    }
    return make_lines(budget, end, end + size > line ? end + size : (int64_t)line + 1);
}

static bool is_of(const struct code_record *code, int32_t line) {
    return (uint32_t)line - (uint32_t)code->first_line < code->n_lines;
}

struct line_row *lines_visit(lines_place *place, const struct code_record *code, int32_t line,
                             struct budget budget) {
    struct line_row *row = find_row(place, line);
    struct lines *last, *made;
    int64_t first = 0, end = 0;

    if (row || !code || !code->lined || !is_of(code, line))
        return row;
    if (known(place, &first, &end, &last)) {
        made = extend_lines(budget, first, end, line);
        if (made)
            atomic_store_explicit(&last->next, made, memory_order_release);
    } else {
        made = make_lines(budget, code->first_line, (int64_t)code->first_line + code->n_lines);
        if (made)
            atomic_store_explicit(place, made, memory_order_release);
    }
    return made ? find_row(place, line) : NULL;
}

static int visit_row(const struct line_row *row, struct calltree_line *found,
                     calltree_line_visitor fn, void *arg) {
    int64_t total;

    found->hits = atomic_load_explicit(&row->hits, memory_order_relaxed);
    found->errors = atomic_load_explicit(&row->errors, memory_order_relaxed);
    found->self = atomic_load_explicit(&row->self, memory_order_relaxed);
    total = (int64_t)(found->self + atomic_load_explicit(&row->others, memory_order_relaxed));
    found->total = total > 0 ? (uint64_t)total : 0;
    return found->hits | found->errors | found->self | found->total ? fn(found, arg) : 0;
}

int lines_walk(const lines_place *place, const struct code_record *code, calltree_line_visitor fn,
               void *arg) {
    const struct lines *lines = atomic_load_explicit(place, memory_order_acquire);
    struct calltree_line found = {.code = code};
    int ret = 0;

    while (lines && ret == 0) {
        for (uint32_t i = 0; i < lines->n && ret == 0; i++) {
            found.line = lines->first + (int32_t)i;
            ret = visit_row(&lines->rows[i], &found, fn, arg);
        }
        lines = atomic_load_explicit(&lines->next, memory_order_acquire);
    }
    return ret;
}

static void clear_row(struct line_row *row) {
    atomic_store_explicit(&row->hits, 0, memory_order_relaxed);
    atomic_store_explicit(&row->self, 0, memory_order_relaxed);
    atomic_store_explicit(&row->others, 0, memory_order_relaxed);
    atomic_store_explicit(&row->errors, 0, memory_order_relaxed);
    row->inside = 0;
}

void lines_clear(lines_place *place) {
    for (struct lines *lines = first_of(place); lines; lines = next_of(lines))
        for (uint32_t i = 0; i < lines->n; i++)
            clear_row(&lines->rows[i]);
}

void lines_free(lines_place *place) {
    struct lines *next;

    for (struct lines *lines = first_of(place); lines; lines = next) {
        next = next_of(lines);
        free(lines);
    }
}
