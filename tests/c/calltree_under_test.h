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

#include "../../src/calltree/calltree.c"
#include "../../src/base/histogram.c"
#include "../../src/calltree/nodes.c"
#include "../../src/calltree/tree.c"

#undef aligned_alloc
#undef calloc
#undef realloc
#undef free

#define CODES 26
#define PLENTY ((int64_t)64 << 20)

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

/* After every test: nothing is left, neither of memory nor of budget nor of pins. */
static inline void check_all_returned(const _Atomic int64_t *budget, int64_t before) {
    CHECK_EQUAL(atomic_load(budget), before);
    CHECK_EQUAL(s_live, 0);
    for (int i = 0; i < CODES; i++)
        CHECK_EQUAL(s_codes[i].pins, 0);
}

#endif
