/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/memory.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "memory/account.h"
#include "memory/large.h"
#include "memory/native_hooks.h"
#include "memory/python_hooks.h"
#include "pyusdt_control.h"

/* Written under the GIL. */
static _Atomic uint32_t s_kinds;
static _Atomic uint64_t s_replaced; /* Python's hooks */
static bool s_watched; /* mem__large is: hooks are there for it, even while the account is closed */

/* False: there can be no hooks of native memory. */
static bool use_native(uint32_t kinds) {
    if (kinds & PYUSDT_MEMORY_NATIVE)
        return native_hooks_want(NATIVE_COUNTED);
    return native_hooks_want(s_watched ? NATIVE_ASIDE : NATIVE_UNUSED);
}

static void end(void) {
    use_native(0);
    account_close();
    if (!s_watched)
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
    if (on && !use_native(kinds))
        kinds &= ~(uint32_t)PYUSDT_MEMORY_NATIVE;
    if (on)
        s_kinds = kinds;
    else
        end();
    return on || !kinds;
}

/* Fires once the hooks are there, and no more before they go. */
static void follow_watched(void) {
    large_watch(false);
    if (!account_enter_closed(s_watched))
        return;
    if (s_watched)
        python_hooks_on();
    else if (!s_kinds)
        python_hooks_off();
    use_native(s_kinds);
    large_watch(s_watched);
}

void memory_watch_large(bool watched) {
    if (watched == s_watched)
        return;
    s_watched = watched;
    follow_watched();
}

void memory_set_large(uint64_t bytes) {
    large_set(bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX);
}

void memory_attend(void) {
    native_hooks_attend();
}

void memory_renew(void) {
    if (s_kinds && python_hooks_renew())
        s_replaced++;
}

uint64_t memory_replaced(void) {
    return s_replaced + native_hooks_replaced();
}

uint64_t memory_refused(void) {
    return native_hooks_refused();
}

uint32_t memory_accounted(void) {
    return s_kinds;
}
