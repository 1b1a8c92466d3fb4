/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in RAM, over time: points, and how they are thinned out. Moments are made up.
 */
#include "check.h"

#include "../../src/base/rss.c"
#include "../../src/control/resident.c"

static struct pyusdt_counts_resident s_read[RESIDENT_MAX];

static void a_point_is_taken_when_it_is_due(void) {
    resident_forget();
    resident_look(1);
    resident_look(INTERVAL_NS);
    CHECK_EQUAL(resident_read(0, s_read), 1);
    resident_look(INTERVAL_NS + 1);
    CHECK_EQUAL(resident_read(0, s_read), 2);
    CHECK_EQUAL(s_read[0].at_ns, 1);
    CHECK_EQUAL(s_read[1].at_ns, INTERVAL_NS + 1);
    CHECK(s_read[1].rss > 0 && s_read[1].peak >= s_read[1].rss);
    CHECK_EQUAL(resident_read(1, s_read), 1);
    CHECK_EQUAL(s_read[0].at_ns, INTERVAL_NS + 1);
}

static void memory_that_is_touched_is_in_it(void) {
    size_t size = 64 << 20;
    volatile char *block = malloc(size);
    uint64_t before;

    resident_forget();
    resident_look(1);
    resident_read(0, s_read);
    before = s_read[0].rss;
    for (size_t i = 0; i < size; i += 1024)
        block[i] = 1;
    resident_look(1 + INTERVAL_NS);
    resident_read(1, s_read);
    CHECK(s_read[0].rss >= before + size / 2);
    free((void *)block);
}

/* The largest of all stays, and no two are closer than half the interval. */
static void points_are_thinned_out(void) {
    uint64_t now = 1;
    size_t n;

    resident_forget();
    for (int i = 0; i < RESIDENT_MAX; i++, now += INTERVAL_NS) {
        resident_look(now);
        s_points[i].rss = i == 777 ? 1000 : 10;
    }
    CHECK_EQUAL(resident_read(0, s_read), RESIDENT_MAX);
    resident_look(now);
    n = resident_read(0, s_read);
    CHECK_EQUAL(n, RESIDENT_MAX / 2 + 1);
    CHECK_EQUAL(s_read[777 / 2].rss, 1000);
    CHECK_EQUAL(s_read[777 / 2].at_ns, 1 + 777 * INTERVAL_NS);
    for (size_t i = 1; i < n; i++)
        CHECK(s_read[i].at_ns > s_read[i - 1].at_ns);
    resident_look(now + INTERVAL_NS);
    CHECK_EQUAL(resident_read(0, s_read), n);
    resident_look(now + 2 * INTERVAL_NS);
    CHECK_EQUAL(resident_read(0, s_read), n + 1);
}

int main(void) {
    static const struct test tests[] = {
        TEST(a_point_is_taken_when_it_is_due),
        TEST(memory_that_is_touched_is_in_it),
        TEST(points_are_thinned_out),
    };

    return run_tests(tests, sizeof tests / sizeof *tests);
}
