/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"

#include "../../src/base/histogram.c"
#include "percentile.h"

static void every_value_lies_in_its_bucket(void) {
    for (unsigned power = 0; power < 64; power++) {
        for (int64_t off = -2; off <= 2; off++) {
            uint64_t value = ((uint64_t)1 << power) + (uint64_t)off;
            if (power < 2 && off < 0)
                continue;
            unsigned bucket = histogram_bucket(value);
            CHECK(histogram_low(bucket) <= value);
            CHECK(bucket + 1 == HISTOGRAM_BUCKETS || value < histogram_low(bucket + 1));
        }
    }
}

static void buckets_are_contiguous_and_fine(void) {
    CHECK_EQUAL(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
    for (unsigned i = 1; i + 1 < HISTOGRAM_BUCKETS; i++) {
        uint64_t low = histogram_low(i), middle = histogram_middle(i), next = histogram_low(i + 1);
        CHECK_EQUAL(histogram_bucket(low), i);
        CHECK_EQUAL(histogram_bucket(low - 1), i - 1);
        CHECK_EQUAL(histogram_bucket(middle), i);
        CHECK((double)(middle - low) <= 0.011 * (double)low);
        CHECK((double)(next - 1 - middle) <= 0.011 * (double)middle);
    }
}

/* As its owner does: a larger one where it is full. */
static struct histogram *counted(struct histogram *h, uint64_t value) {
    if (histogram_count(h, value) || histogram_insert(h, value))
        return h;
    uint32_t slots = 2 * (h->mask + 1);
    struct histogram *larger = calloc(1, histogram_size(slots));
    histogram_init(larger, slots);
    histogram_copy(larger, h);
    free(h);
    CHECK(histogram_insert(larger, value));
    return larger;
}

static struct histogram *new_histogram(void) {
    struct histogram *h = calloc(1, histogram_size(4));
    histogram_init(h, 4);
    return h;
}

static void values_are_counted_once_each(void) {
    struct histogram *h = new_histogram();
    uint64_t random = 1, sum = 0, shortest = UINT64_MAX, longest = 0;
    static struct durations d;
    for (int i = 0; i < 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t value = random >> 11 >> (random & 31);
        h = counted(h, value);
        shortest = value < shortest ? value : shortest;
        longest = value > longest ? value : longest;
        sum++;
    }
    d.n = 0;
    CHECK_EQUAL(histogram_walk(h, keep_duration, &d), 0);
    CHECK_EQUAL(sum_of(&d), sum);
    CHECK(h->used <= h->mask - h->mask / 4);
    CHECK_EQUAL(percentile(&d, 0), shortest);
    CHECK_EQUAL(percentile(&d, 1), longest);
    for (unsigned i = 1; i < d.n; i++)
        CHECK(d.of[i].value > d.of[i - 1].value);
    histogram_clear(h);
    CHECK_EQUAL(histogram_walk(h, keep_duration, &d), 0);
    CHECK_EQUAL(sum_of(&d), sum);
    free(h);
}

static void two_values_in_a_bucket_are_known_exactly(void) {
    struct histogram *h = new_histogram();
    static struct durations d;
    h = counted(h, 1000003);
    d.n = 0;
    histogram_walk(h, keep_duration, &d);
    CHECK(d.n == 1 && d.of[0].value == 1000003 && d.of[0].count == 1);
    h = counted(h, 1000001);
    d.n = 0;
    histogram_walk(h, keep_duration, &d);
    CHECK(d.n == 2 && d.of[0].value == 1000001 && d.of[1].value == 1000003);
    h = counted(h, 1000003);
    d.n = 0;
    histogram_walk(h, keep_duration, &d);
    CHECK(sum_of(&d) == 3 && percentile(&d, 0) == 1000001 && percentile(&d, 1) == 1000003);
    free(h);
}

/* Thirty distributions in ticks, by their quantiles: `u` is uniform in (0, 1). */
static double quantile(int of, double u) {
    double scale = pow(10, of % 10); /* from ns to seconds */
    switch (of / 10) {
    case 0:
        return of == 0 ? 7 : scale * (1 + u);
    case 1:
        return -50 * scale * log(1 - u);
    default:
        return of % 2 ? 40 * scale * pow(1 - u, -0.7) : (u < 0.7 ? 3 : 4000) * scale * (1 + u / 9);
    }
}

static void percentiles_of_thirty_distributions(void) {
    enum { N = 20000 };
    static uint64_t values[N];
    static const double fractions[] = {0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
    for (int of = 0; of < 30; of++) {
        struct histogram *h = new_histogram();
        static struct durations d;
        for (int i = 0; i < N; i++)
            values[i] = (uint64_t)quantile(of, (i + 0.5) / N);
        for (int i = 0; i < N; i++)
            h = counted(h, values[i * 7919 % N]);
        d.n = 0;
        histogram_walk(h, keep_duration, &d);
        for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
            int rank = (int)ceil(fractions[i] * N);
            double exact = (double)values[rank > 0 ? rank - 1 : 0];
            double got = (double)percentile(&d, fractions[i]);
            CHECK(fabs(got - exact) <= 0.011 * exact);
            CHECK(got >= (double)values[0] && got <= (double)values[N - 1]);
        }
        free(h);
    }
}

int main(void) {
    static const struct test tests[] = {
        TEST(every_value_lies_in_its_bucket),      TEST(buckets_are_contiguous_and_fine),
        TEST(values_are_counted_once_each),        TEST(two_values_in_a_bucket_are_known_exactly),
        TEST(percentiles_of_thirty_distributions),
    };
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
