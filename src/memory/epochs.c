/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/epochs.h"

#include <stdbool.h>

/* Of steps there are so many epochs, and so many before they become four times as long. */
enum { OF_STEPS = EPOCHS_MAX / 2, AT_A_LENGTH = 256 };

/* Whether one of those that there are was used up. */
static bool begin_next(struct epochs *e, uint64_t ticks, uint64_t allocated) {
    bool used = allocated != e->allocated;

    if (used && e->now + 1 == EPOCHS_MAX)
        return false;
    e->now += used;
    e->began[e->now] = ticks;
    e->allocated = allocated;
    return used;
}

void epochs_mark(struct epochs *e, uint64_t ticks, uint64_t allocated) {
    begin_next(e, ticks, allocated);
}

void epochs_step(struct epochs *e, uint64_t ticks, uint64_t allocated) {
    uint64_t length = UINT64_C(1) << 2 * (e->of_steps / AT_A_LENGTH);

    if (e->n_steps++ % length == 0 && e->of_steps < OF_STEPS)
        e->of_steps += begin_next(e, ticks, allocated);
}
