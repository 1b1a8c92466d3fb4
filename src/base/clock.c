/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define MIN_WINDOW_NS 1000000u
#define MAX_WINDOW_NS 10000000000u
#define TRIES 8

bool clock_uses_counter;

static struct clock_moment s_first;  /* written by clock_init only */
static struct clock_moment s_base;   /* written by clock_init, then by clock_refine only */
static _Atomic double s_ns_per_tick; /* 0: not known yet; any thread writes it */

/* Invariant TSC: CPUID leaf 0x80000007, EDX bit 8. */
static bool counter_works(void) {
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx = 0;
    return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) && (edx & (1u << 8)) != 0;
#elif defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

struct clock_moment clock_moment(void) {
    struct clock_moment best = {0, 0};
    uint64_t best_width = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = clock_ticks();
        uint64_t ns = clock_monotonic_ns();
        uint64_t width = clock_ticks() - before;

        if (width < best_width) {
            best_width = width;
            best = (struct clock_moment){before + width / 2, ns};
        }
    }
    return best;
}

/* 0 if too little time lies between the two, or the counter was set back (a suspend). */
static double rate_between(const struct clock_moment *from, const struct clock_moment *to) {
    if (to->ns < from->ns + MIN_WINDOW_NS || to->ticks <= from->ticks)
        return 0;
    return (double)(to->ns - from->ns) / (double)(to->ticks - from->ticks);
}

static void set_rate(double ns_per_tick) {
    atomic_store_explicit(&s_ns_per_tick, ns_per_tick, memory_order_relaxed);
}

void clock_init(void) {
    clock_uses_counter = counter_works();
    s_first = s_base = clock_moment();
    set_rate(clock_uses_counter ? 0 : 1);
}

void clock_refine(void) {
    struct clock_moment now;
    double rate;

    if (!clock_uses_counter)
        return;
    now = clock_moment();
    rate = rate_between(&s_base, &now);
    if (rate > 0)
        set_rate(rate);
    if (now.ns - s_base.ns >= MAX_WINDOW_NS || now.ticks < s_base.ticks)
        s_base = now;
}

/* Reads only what never changes, so any number of threads may run it at once. */
static double first_rate(void) {
    uint64_t end = s_first.ns + MIN_WINDOW_NS;
    struct clock_moment now;
    double rate, unknown = 0;

    if (!clock_uses_counter)
        return 1;
    while (clock_monotonic_ns() < end)
        continue;
    now = clock_moment();
    rate = rate_between(&s_first, &now);
    atomic_compare_exchange_strong(&s_ns_per_tick, &unknown, rate);
    if (unknown > 0)
        return unknown;
    return rate > 0 ? rate : 1;
}

static double ns_per_tick(void) {
    double rate = atomic_load_explicit(&s_ns_per_tick, memory_order_relaxed);

    return rate > 0 ? rate : first_rate();
}

/* UINT64_MAX means never, and stays UINT64_MAX. */
static uint64_t to_integer(double value) {
    return value < 0x1p64 ? (uint64_t)value : UINT64_MAX;
}

uint64_t clock_ns(uint64_t ticks) {
    return to_integer((double)ticks * ns_per_tick());
}

uint64_t clock_ticks_in(uint64_t ns) {
    return to_integer((double)ns / ns_per_tick());
}
