/* SPDX-License-Identifier: Apache-2.0
 *
 * Percentiles of a histogram, as its readers compute them (pyusdt/recording/histogram.py).
 */
#ifndef PYUSDT_TESTS_PERCENTILE_H
#define PYUSDT_TESTS_PERCENTILE_H

#include "base/histogram.h"

/* The value below which `fraction` (0..1) of the counted values lie, interpolated inside its
 * bucket; 0 when nothing was counted. */
static inline uint64_t percentile(const uint32_t counts[HISTOGRAM_BUCKETS], double fraction) {
    uint64_t total = 0, highest = 0;
    double rank;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        total += counts[i];
    rank = fraction * (double)total;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        double width = (double)(histogram_low(i + 1) - histogram_low(i));

        if (!counts[i])
            continue;
        if (rank <= (double)counts[i])
            return histogram_low(i) + (uint64_t)(width * rank / (double)counts[i]);
        rank -= (double)counts[i];
        highest = histogram_low(i + 1);
    }
    return highest; /* 0 without values; otherwise rank was rounded up past the last of them */
}

#endif
