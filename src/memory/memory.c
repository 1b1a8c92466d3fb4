/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/memory.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "memory/account.h"
#include "memory/native_hooks.h"
#include "memory/python_hooks.h"
#include "pyusdt_control.h"

static _Atomic uint32_t s_kinds; /* written under the GIL */

static void end(void) {
    native_hooks_want(false);
    account_close();
    python_hooks_off();
    account_clear();
    s_kinds = 0;
}

uint32_t memory_join(uint32_t a, uint32_t b) {
    uint32_t sampled = (a ? a : b) & (b ? b : a) & PYUSDT_MEMORY_SAMPLED;

    return ((a | b) & ~(uint32_t)PYUSDT_MEMORY_SAMPLED) | sampled;
}

/* False: no memory. */
static bool go_on(uint32_t *kinds) {
    if (!s_kinds)
        return account_open(*kinds & PYUSDT_MEMORY_SAMPLED);
    account_mark(clock_ticks()); /* somebody else's recording begins */
    if (!(s_kinds & PYUSDT_MEMORY_SAMPLED))
        *kinds &= ~(uint32_t)PYUSDT_MEMORY_SAMPLED;
    else if (!(*kinds & PYUSDT_MEMORY_SAMPLED))
        account_be_exact();
    return true;
}

bool memory_account(uint32_t kinds) {
    bool on;

    if (!kinds && !s_kinds)
        return true;
    on = kinds && go_on(&kinds) && python_hooks_on();
    if (on && !native_hooks_want(kinds & PYUSDT_MEMORY_NATIVE))
        kinds &= ~(uint32_t)PYUSDT_MEMORY_NATIVE;
    if (on)
        s_kinds = kinds;
    else
        end();
    return on || !kinds;
}

void memory_attend(void) {
    native_hooks_attend();
}

uint64_t memory_refused(void) {
    return native_hooks_refused();
}

uint32_t memory_accounted(void) {
    return s_kinds;
}
