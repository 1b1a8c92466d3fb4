/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rate.h"

#include "base/clock.h"

/* A smaller change is measuring noise. */
#define NOISE 2e-4

/* Written under the GIL. */
static double s_ns_per_tick;

void rate_refine(void) {
    double rate = (double)clock_ns((uint64_t)1 << 40) / 0x1p40;
    double change = rate / s_ns_per_tick - 1;

    if (s_ns_per_tick == 0 || change > NOISE || change < -NOISE)
        s_ns_per_tick = rate;
}

double rate_ns_per_tick(void) {
    return s_ns_per_tick;
}
