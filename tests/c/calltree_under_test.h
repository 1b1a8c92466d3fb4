/* SPDX-License-Identifier: Apache-2.0
 *
 * The call tree's sources with an allocator that counts and can fail, and a few codes to run.
 */
#ifndef CALLTREE_UNDER_TEST_H
#define CALLTREE_UNDER_TEST_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static long s_calls_left = -1; /* allocations until one fails; negative: none does */
static bool s_fail_once;       /* whether those after it succeed again */
static _Atomic long s_live;    /* blocks that were not freed */

static bool allocation_fails(void) {
    if (s_calls_left < 0)
        return false;
    if (s_calls_left > 0) {
        s_calls_left--;
        return false;
    }
    if (s_fail_once)
        s_calls_left = -1;
    return true;
}

static void *counted(void *block) {
    s_live += block != NULL;
    return block;
}

static void *test_aligned_alloc(size_t align, size_t size) {
    return allocation_fails() ? NULL : counted(aligned_alloc(align, size));
}

static void *test_calloc(size_t n, size_t size) {
    return allocation_fails() ? NULL : counted(calloc(n, size));
}

static void *test_realloc(void *block, size_t size) {
    return allocation_fails() ? NULL : realloc(block, size);
}

static void test_free(void *block) {
    s_live -= block != NULL;
    free(block);
}

#define aligned_alloc test_aligned_alloc
#define calloc test_calloc
#define realloc test_realloc
#define free test_free

#include "../../src/base/histogram.c"
#include "../../src/calltree/budget.c"
#include "../../src/calltree/calltree.c"
#include "../../src/calltree/calltree_read.c"
#include "../../src/calltree/lines.c"
#include "../../src/calltree/nodes.c"
#include "../../src/calltree/tree.c"

#undef aligned_alloc
#undef calloc
#undef realloc
#undef free

#define CODES 26
#define PLENTY ((int64_t)64 << 20)
#define BUDGET(contexts_)                                                                          \
    { .contexts = (contexts_), .functions = PLENTY, .histograms = PLENTY }

static struct code_record s_codes[CODES]; /* 'a'..'z' */
static char s_names[CODES][2];

static void make_codes(void) {
    for (int i = 0; i < CODES; i++) {
        s_names[i][0] = (char)('a' + i);
        s_codes[i] = (struct code_record){
            .id = (uint32_t)i + 1,
            .line = 10 * i,
            .module = "m",
            .function = s_names[i],
            .qualname = s_names[i],
            .file = "file.py",
        };
    }
}

/* What a function did in all its contexts, running frames until `now` included: what is counted by
 * function, by context, and is running, added up. `code` NULL: those without memory. */
struct totals {
    struct calltree_total of[CODES + 1];
    struct calltree *tree;
};

static inline struct calltree_total *total_of(struct totals *all, const struct code_record *code) {
    return &all->of[code ? code->id : 0];
}

static inline int add_context(const struct calltree_sample *s, void *arg) {
    struct calltree_total *total = total_of(arg, s->code);
    if (s->node->depth > 0 && s->node->index != 1) {
        total->calls += s->calls;
        total->resumes += s->resumes;
        total->errors += s->errors;
        total->self += s->self;
    }
    return 0;
}

static inline int add_by_function(const struct function *f, void *arg) {
    struct calltree_total read, *total;
    calltree_read_function(f, &read);
    total = total_of(arg, read.code);
    total->code = read.code;
    total->calls += read.calls;
    total->resumes += read.resumes;
    total->errors += read.errors;
    total->self += read.self;
    total->primitive_calls += read.primitive_calls;
    total->total += read.total;
    return 0;
}

static inline int add_open(const struct calltree_open *open, void *arg) {
    if (open->function != NULL) {
        struct calltree_total *total = total_of(arg, open->function->code);
        total->self += open->self;
        total->total += open->lowest ? open->elapsed : 0;
    }
    return 0;
}

struct visit_totals {
    int (*fn)(const struct calltree_total *total, void *arg);
    void *arg;
    struct totals *all;
};

static inline int visit_total(const struct function *f, void *arg) {
    struct visit_totals *visit = arg;
    return visit->fn(total_of(visit->all, f->code), visit->arg);
}

/* Calls `fn` for each function, the newest first. */
static inline int walk_totals(struct calltree *t, uint64_t now,
                              int (*fn)(const struct calltree_total *, void *), void *arg) {
    static struct totals all;
    struct visit_totals visit = {fn, arg, &all};
    memset(&all, 0, sizeof all);
    calltree_walk_functions(t, add_by_function, &all);
    calltree_walk(t, add_context, &all);
    calltree_walk_open(t, now, add_open, &all);
    return calltree_walk_functions(t, visit_total, &visit);
}

/* After every test: nothing is left, neither of memory nor of budget nor of pins. */
static inline void check_all_returned(const struct calltree_budget *budget, int64_t before) {
    CHECK_EQUAL(atomic_load(&budget->contexts), before);
    CHECK_EQUAL(atomic_load(&budget->functions), PLENTY);
    CHECK_EQUAL(atomic_load(&budget->histograms), PLENTY);
    CHECK_EQUAL(s_live, 0);
    for (int i = 0; i < CODES; i++)
        CHECK_EQUAL(s_codes[i].pins, 0);
}

#endif
