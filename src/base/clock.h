/* SPDX-License-Identifier: Apache-2.0
 *
 * The cheapest clock that is right here: the CPU's counter where it runs at one rate in every
 * state of the CPU, CLOCK_MONOTONIC elsewhere. Times are taken in ticks, which cost about half
 * of clock_gettime(), and converted to nanoseconds when they are read.
 */
#ifndef PYUSDT_BASE_CLOCK_H
#define PYUSDT_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/compiler.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* Written by clock_init only. False until then: the clock works, as CLOCK_MONOTONIC. */
extern bool clock_uses_counter;

/* Choose the clock and start its calibration. Once, before any tick is taken that will be compared
 * with later ones, and before other threads use the clock. Never fails. */
void clock_init(void);

/* Measure the rate of the ticks again. The more time has passed since clock_init, the better (1 ms:
 * within 0.1%). After ten seconds the window moves on, so a suspend of the machine spoils the rate
 * no longer than that. The watcher calls it at each tick; one thread at a time. */
void clock_refine(void);

/* A difference of ticks in nanoseconds, and back. Any thread. A first use within 1 ms of clock_init
 * spins until that millisecond is over: there is no rate before. */
uint64_t clock_ns(uint64_t ticks);
uint64_t clock_ticks_in(uint64_t ns);

/* One moment on both clocks, from the least interrupted of a few tries. */
struct clock_moment {
    uint64_t ticks;
    uint64_t ns; /* CLOCK_MONOTONIC */
};
struct clock_moment clock_moment(void);

static inline uint64_t clock_monotonic_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The CPU's counter. Valid only if clock_uses_counter. */
static inline uint64_t clock_counter(void) {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return clock_monotonic_ns();
#endif
}

/* Now, in ticks. Any thread. The counters of two CPUs may differ by a few ticks, so a difference
 * between ticks of two threads may be slightly negative: the caller must expect that. */
static inline uint64_t clock_ticks(void) {
    if (LIKELY(clock_uses_counter))
        return clock_counter();
    return clock_monotonic_ns();
}

#endif
