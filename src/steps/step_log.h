/* SPDX-License-Identifier: Apache-2.0
 *
 * What the recorder keeps of steps and marks: each one, in the order of their ends, up to a bound.
 *
 * GIL held for everything here. No exception, no code of the program's.
 */
#ifndef PYUSDT_STEPS_STEP_LOG_H
#define PYUSDT_STEPS_STEP_LOG_H

#include <stddef.h>

#include "pyusdt_counts.h"

/* So many are kept, with so many names and so many bytes of text; what comes beyond is lost. */
enum { STEP_LOG_MAX = 500000, STEP_LOG_NAMES_MAX = 10000, STEP_LOG_TEXT_MAX = 8 << 20 };

/* Keep what comes from now on; it goes on where it is on. */
void step_log_start(void);

/* Forget everything. */
void step_log_stop(void);

struct step_log {
    const struct pyusdt_counts_step *steps;
    const uint32_t *names;
    const char *texts;
    size_t n_steps, n_names, text_size;
    uint64_t lost;
};

/* What is kept: borrowed until the next call of the program. Texts are places in `texts`. */
struct step_log step_log_read(void);

#endif
