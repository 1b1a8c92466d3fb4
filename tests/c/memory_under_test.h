/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the account, which may have no memory.
 */
#ifndef MEMORY_UNDER_TEST_H
#define MEMORY_UNDER_TEST_H

#include "check.h"

#include <stdbool.h>
#include <string.h>

#include "../../src/base/pages.c"
#include "../../src/memory/pages.c"

static long s_pages_left = -1; /* of them, until there are no more; negative: there always are */
static long s_pages_live;      /* not given back */

static void *test_pages_map(size_t size) {
    void *pages = s_pages_left != 0 ? pages_map(size) : NULL;
    s_pages_left -= s_pages_left > 0;
    s_pages_live += pages != NULL;
    return pages;
}

static void test_pages_unmap(void *pages) {
    s_pages_live -= pages != NULL;
    pages_unmap(pages);
}

#define pages_map test_pages_map
#define pages_unmap test_pages_unmap

#include "../../src/memory/blocks.c"
#include "../../src/memory/cells.c"
#include "../../src/memory/known.c"
#include "../../src/memory/mappings.c"
#include "../../src/memory/places.c"
#include "../../src/memory/epochs.c"
#include "../../src/memory/growth.c"
#include "../../src/memory/highs.c"
#include "../../src/memory/sample.c"
#include "../../src/memory/spin.c"

#endif
