/* SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot of the counts of all threads' call trees, in the layout of pyusdt_counts.h.
 */
#ifndef PYUSDT_CONTROL_SNAPSHOT_H
#define PYUSDT_CONTROL_SNAPSHOT_H

#include <stddef.h>

#include "pyusdt_counts.h"

/* A struct pyusdt_counts with its arrays: owned by the caller, who frees it. NULL: no memory. GIL
 * held; leaves no exception. */
char *snapshot_take(size_t *size);

#endif
