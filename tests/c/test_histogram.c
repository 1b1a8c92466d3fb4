/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "../../src/base/histogram.c"
#include "percentile.h"

static void every_value_lies_in_its_bucket(void) {
    for (unsigned power = 0; power < 49; power++) {
        for (int64_t off = -2; off <= 2; off++) {
            uint64_t value = ((uint64_t)1 << power) + (uint64_t)off;
            if ((int64_t)value < 0)
                continue;
            unsigned bucket = histogram_bucket(value);
            CHECK(histogram_low(bucket) <= value);
            CHECK(value < histogram_low(bucket + 1));
        }
    }
}

static void buckets_are_contiguous_and_fine(void) {
    for (unsigned i = 4; i < HISTOGRAM_BUCKETS; i++) {
        CHECK_EQUAL(histogram_bucket(histogram_low(i)), i);
        CHECK_EQUAL(histogram_bucket(histogram_low(i) - 1), i - 1);
        CHECK((histogram_low(i + 1) - histogram_low(i)) * 4 <= histogram_low(i));
    }
    CHECK_EQUAL(histogram_low(HISTOGRAM_BUCKETS - 1), 7ll << 46);
    CHECK_EQUAL(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void percentiles_of_known_values(void) {
    static struct histogram h;
    uint32_t counts[HISTOGRAM_BUCKETS];
    histogram_read(&h, counts);
    CHECK_EQUAL(percentile(counts, 0.5), 0);
    for (uint64_t v = 1; v <= 10000; v++)
        histogram_add(&h, v * 1000);
    histogram_read(&h, counts);
    for (int percent = 1; percent <= 100; percent++) {
        uint64_t exact = (uint64_t)percent * 100000;
        uint64_t got = percentile(counts, percent / 100.0);
        CHECK(got >= exact - exact / 8 && got <= exact + exact / 8);
    }
    histogram_clear(&h);
    histogram_add(&h, 123);
    histogram_read(&h, counts);
    CHECK(percentile(counts, 1.0) >= 112 && percentile(counts, 1.0) <= 128);
    CHECK_EQUAL(percentile(counts, 0.0), 112);
}

static void a_full_bucket_halves_all(void) {
    static struct histogram h;
    uint32_t counts[HISTOGRAM_BUCKETS];
    set_count(&h.counts[3], UINT32_MAX);
    set_count(&h.counts[2], 1000);
    histogram_add(&h, 3);
    histogram_read(&h, counts);
    CHECK_EQUAL(counts[3], UINT32_MAX / 2 + 1);
    CHECK_EQUAL(counts[2], 500);
}

int main(void) {
    static const struct test tests[] = {
        TEST(every_value_lies_in_its_bucket),
        TEST(buckets_are_contiguous_and_fine),
        TEST(percentiles_of_known_values),
        TEST(a_full_bucket_halves_all),
    };
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
