/* SPDX-License-Identifier: Apache-2.0
 *
 * What an enter and exit pair costs, in ns: a report, not a test. Argument: millions of pairs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "calltree/calltree.h"
#include "base/clock.h"

#define ROUNDS 5

static struct code_record s_codes[3] = {
    {.id = 1, .module = "m", .function = "f", .qualname = "f", .file = "f.py"},
    {.id = 2, .module = "m", .function = "g", .qualname = "g", .file = "f.py"},
    {.id = 3, .module = "m", .function = "h", .qualname = "h", .file = "f.py"},
};
static unsigned s_pairs = 20000000;
static uint64_t s_sum; /* so that results are used */

static uint64_t no_clock(void) {
    return 0;
}

static inline __attribute__((always_inline)) void run(struct calltree *t, uint64_t (*now)(void),
                                                      unsigned children, unsigned depth) {
    struct calltree_done done = {0};
    for (unsigned i = 0; i < s_pairs / depth; i++) {
        struct code_record *code = &s_codes[1 + i % children];
        for (unsigned d = 0; d < depth; d++)
            calltree_enter(t, code, now(), CALLTREE_START);
        for (unsigned d = 0; d < depth; d++)
            s_sum += (uint64_t)calltree_exit(t, code, now(), CALLTREE_RETURN, &done) + done.self;
    }
}

static void hot_child(struct calltree *t) {
    run(t, no_clock, 1, 1);
}

static void alternating(struct calltree *t) {
    run(t, no_clock, 2, 1);
}

static void recursive(struct calltree *t) {
    run(t, no_clock, 1, 20);
}

static void hot_child_clock(struct calltree *t) {
    run(t, clock_ticks, 1, 1);
}

static void only_clock(struct calltree *t) {
    (void)t;
    for (unsigned i = 0; i < s_pairs; i++)
        s_sum += clock_ticks() + clock_ticks();
}

static void measure(const char *what, void (*fn)(struct calltree *), bool record) {
    struct calltree_budget budget = {
        .contexts = 1 << 20, .functions = 1 << 20, .histograms = 1 << 20};
    uint64_t best = UINT64_MAX;
    struct calltree *t = calltree_new(&budget, 0);
    atomic_store(&t->record, record);
    calltree_enter(t, &s_codes[0], 0, CALLTREE_START);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = clock_monotonic_ns();
        fn(t);
        uint64_t ns = clock_monotonic_ns() - start;
        best = ns < best ? ns : best;
    }
    printf("%-44s %5.2f ns a pair\n", what, (double)best / s_pairs);
    calltree_free(t);
}

int main(int argc, char **argv) {
    if (argc > 1)
        s_pairs = (unsigned)strtoul(argv[1], NULL, 10) * 1000000;
    clock_init();
    measure("hot child", hot_child, false);
    measure("alternating children", alternating, false);
    measure("recursion, 20 deep", recursive, false);
    measure("hot child, histogram", hot_child, true);
    measure("hot child, clock", hot_child_clock, false);
    measure("hot child, clock, histogram", hot_child_clock, true);
    measure("the clock alone, twice", only_clock, false);
    return s_sum == 0;
}
