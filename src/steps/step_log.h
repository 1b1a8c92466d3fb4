/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder's log of steps and marks: all of them, in the order of their ends, up to a bound.
 *
 * GIL held for everything here. Leaves no exception, and runs no code of the program.
 */
#ifndef PYUSDT_STEPS_STEP_LOG_H
#define PYUSDT_STEPS_STEP_LOG_H

#include <stddef.h>

#include "pyusdt_counts.h"

/* Bounds of the steps, the names and the bytes of text. What exceeds them is lost, and counted. */
enum { STEP_LOG_MAX = 500000, STEP_LOG_NAMES_MAX = 10000, STEP_LOG_TEXT_MAX = 8 << 20 };

/* Start to log, or go on. */
void step_log_start(void);

/* Stop, and forget everything. */
void step_log_stop(void);

struct step_log {
    const struct pyusdt_counts_step *steps;
    const struct pyusdt_counts_step_memory *memory;
    const uint32_t *names;
    const char *texts;
    size_t n_steps, n_memory, n_names, text_size;
    uint64_t lost;
};

/* The log, borrowed until the GIL is released or another function here is called. Texts are places
 * in `texts`. */
struct step_log step_log_read(void);

#endif
