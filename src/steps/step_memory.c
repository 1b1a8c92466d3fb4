/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/step_memory.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/rss.h"

/* What is in RAM is read at most so often, which takes about ten microseconds: of steps that are
 * shorter it is what it was a moment ago. */
#define FRESH_NS UINT64_C(1000000)

static _Atomic uint64_t s_rss, s_read; /* in bytes; when, in ticks */

static uint64_t rss_of_now(void) {
    uint64_t now = clock_ticks();

    if (!s_read || now - s_read > clock_ticks_in(FRESH_NS)) {
        s_rss = rss_read();
        s_read = now;
    }
    return s_rss;
}

static NOINLINE struct step_start start_with_memory(void) {
    uint64_t rss = rss_of_now();
    struct account_moment memory = account_step_begins();

    return (struct step_start){memory.opening ? memory.ticks : clock_ticks(), rss, memory};
}

struct step_start step_memory_start(void) {
    if (UNLIKELY(account_is_open()))
        return start_with_memory();
    return (struct step_start){.ticks = clock_ticks()};
}

bool step_memory_end(const struct step_start *start, uint64_t ticks, struct step_memory *memory) {
    if (LIKELY(!account_step_ends(&start->memory, ticks, &memory->span)))
        return false;
    memory->rss_start = start->rss;
    memory->rss_end = rss_of_now();
    return true;
}
