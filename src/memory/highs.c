/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/highs.h"

#include <string.h>

uint64_t highs_next(struct highs *h, uint64_t bytes) {
    while (h->n && h->rows[h->n - 1].bytes <= bytes)
        h->n--;
    if (h->n == HIGHS_MAX) {
        h->known_from = h->rows[0].stretch + 1;
        memmove(h->rows, h->rows + 1, --h->n * sizeof *h->rows);
    }
    h->rows[h->n++] = (struct high){h->stretch, bytes};
    return ++h->stretch;
}

bool highs_since(const struct highs *h, uint64_t first, uint64_t *bytes) {
    uint32_t low = 0, high = h->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (h->rows[middle].stretch < first)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == h->n || first < h->known_from)
        return false;
    *bytes = h->rows[low].bytes;
    return true;
}
