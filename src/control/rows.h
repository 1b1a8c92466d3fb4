/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing array of bytes, in pages of its own: growing copies nothing, so that there is never
 * more than one of it, and its memory goes back at once. One thread at a time; zeros are an empty
 * one.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_ROWS_H
#define PYUSDT_CONTROL_ROWS_H

#include <stdbool.h>
#include <stddef.h>

struct rows {
    char *data; /* owned */
    size_t size, room;
    bool failed; /* it could not grow, and stayed as it was */
};

/* Append `size` bytes. -1: no memory, and `failed` is set. */
int rows_append(struct rows *rows, const void *data, size_t size);

void rows_free(struct rows *rows);

#endif
