/* SPDX-License-Identifier: Apache-2.0
 *
 * What the call trees of all threads have counted, as pyusdt_counts.h has it.
 */
#ifndef PYUSDT_CONTROL_SNAPSHOT_H
#define PYUSDT_CONTROL_SNAPSHOT_H

#include <stddef.h>

#include "pyusdt_counts.h"

/* A struct pyusdt_counts and what belongs to it: owned, to be freed. NULL: no memory. GIL held;
 * leaves no exception. */
char *snapshot_take(size_t *size);

#endif
