/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory the process has in RAM, over time, as the sampler's thread reads it. There is a
 * bound on the points: when they are too many, each two that follow one another become one, that
 * with more in RAM, and points are taken half as often from then on.
 *
 * No Python.h, no GIL.
 */
#ifndef PYUSDT_CONTROL_RESIDENT_H
#define PYUSDT_CONTROL_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pyusdt_counts.h"

enum { RESIDENT_MAX = 4096 };

/* Take a point, unless there is one of a moment ago. The sampler's thread. */
void resident_look(uint64_t now_ns);

/* Copies the points after `since` into `points`, the oldest first; how many there were. Any thread.
 */
size_t resident_read(uint64_t since_ns, struct pyusdt_counts_resident points[RESIDENT_MAX]);

/* Forget them. Any thread. */
void resident_forget(void);

/* In the child of a fork: there are none. */
void resident_postfork_child(void);

#endif
