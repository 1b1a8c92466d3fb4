/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <pthread.h>

#include "../../src/base/clock.c"

static void spin_ns(uint64_t ns) {
    uint64_t end = clock_monotonic_ns() + ns;
    while (clock_monotonic_ns() < end)
        continue;
}

static void check_near(uint64_t got, uint64_t wanted, double share) {
    double off = (double)got / (double)wanted - 1;
    if (off > share || off < -share) {
        fprintf(stderr, "%llu ns is %.4f%% off %llu\n", (unsigned long long)got, 100 * off,
                (unsigned long long)wanted);
        exit(1);
    }
}

/* A moment of both clocks, as exact as the clock itself takes them. */
static void check_window(uint64_t ns, double share) {
    struct clock_moment from = clock_moment();
    spin_ns(ns);
    struct clock_moment to = clock_moment();
    check_near(clock_ns(to.ticks - from.ticks), to.ns - from.ns, share);
    check_near(clock_ticks_in(to.ns - from.ns), to.ticks - from.ticks, share);
}

static void works_before_init(void) {
    uint64_t start = clock_ticks();
    CHECK(clock_ticks() >= start);
    CHECK_EQUAL(clock_ns(12345), 12345);
    CHECK_EQUAL(clock_ticks_in(12345), 12345);
}

static void first_use_measures_by_itself(void) {
    clock_init();
    check_window(5000000, 0.02);
}

static void refined_is_right(void) {
    clock_init();
    spin_ns(20000000);
    clock_refine();
    check_window(20000000, 0.001);
}

static void refine_at_once_waits_for_more(void) {
    clock_init();
    clock_refine();
    if (clock_uses_counter && clock_monotonic_ns() < s_first.ns + MIN_WINDOW_NS)
        CHECK(atomic_load(&s_ns_per_tick) == 0);
    CHECK(clock_ns(1000000000) > 0);
}

static void counter_set_back_starts_a_new_window(void) {
    clock_init();
    spin_ns(2000000);
    clock_refine();
    if (!clock_uses_counter)
        return;
    double before = atomic_load(&s_ns_per_tick);
    s_base.ticks += (uint64_t)1 << 50;
    clock_refine();
    CHECK(atomic_load(&s_ns_per_tick) == before);
    CHECK(s_base.ticks <= clock_ticks());
    spin_ns(2000000);
    clock_refine();
    check_window(5000000, 0.02);
}

static void window_moves_on(void) {
    clock_init();
    if (!clock_uses_counter)
        return;
    s_base.ns -= MAX_WINDOW_NS; /* as after a suspend: the rate is wrong once, and then right */
    clock_refine();
    spin_ns(2000000);
    clock_refine();
    check_window(5000000, 0.02);
}

static void never_stays_never(void) {
    CHECK(clock_ticks_in(UINT64_MAX) > (uint64_t)1 << 60);
    set_rate(0.25);
    CHECK_EQUAL(clock_ticks_in(UINT64_MAX), UINT64_MAX);
    set_rate(40);
    CHECK_EQUAL(clock_ns(UINT64_MAX), UINT64_MAX);
}

static void without_a_counter(void) {
    clock_init();
    clock_uses_counter = false;
    set_rate(1);
    clock_refine();
    CHECK_EQUAL(clock_ns(777), 777);
    uint64_t before = clock_monotonic_ns(), now = clock_ticks();
    CHECK(now >= before && now <= clock_monotonic_ns());
    clock_init();
}

static _Atomic int s_done;

static void *convert(void *arg) {
    (void)arg;
    do {
        uint64_t ns = clock_ns((uint64_t)1 << 32);
        CHECK(ns > 0 && clock_ticks_in(ns) > 0);
    } while (!atomic_load(&s_done));
    return NULL;
}

static void refined_while_others_convert(void) {
    pthread_t threads[3];
    clock_init();
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, convert, NULL) == 0);
    for (int i = 0; i < 2000; i++)
        clock_refine();
    atomic_store(&s_done, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    check_window(5000000, 0.02);
}

int main(void) {
    static const struct test tests[] = {
        TEST(works_before_init),
        TEST(first_use_measures_by_itself),
        TEST(refined_is_right),
        TEST(refine_at_once_waits_for_more),
        TEST(counter_set_back_starts_a_new_window),
        TEST(window_moves_on),
        TEST(never_stays_never),
        TEST(without_a_counter),
        TEST(refined_while_others_convert),
    };
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
