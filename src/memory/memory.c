/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/memory.h"

#include <stdatomic.h>

#include "memory/account.h"
#include "memory/python_hooks.h"

static _Atomic uint32_t s_kinds; /* written under the GIL */

static void end(void) {
    account_close();
    python_hooks_off();
    account_clear();
    s_kinds = 0;
}

bool memory_account(uint32_t kinds) {
    bool on;

    if (!kinds && !s_kinds)
        return true;
    on = kinds && (s_kinds || account_open()) && python_hooks_on();

    if (on)
        s_kinds = kinds;
    else
        end();
    return on || !kinds;
}

uint32_t memory_accounted(void) {
    return s_kinds;
}
