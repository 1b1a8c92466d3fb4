/* SPDX-License-Identifier: Apache-2.0
 *
 * What hooks of native memory are for, as each of them asks at its beginning.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_NATIVE_USE_H
#define PYUSDT_MEMORY_NATIVE_USE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "memory/account.h"

/* Nothing; the account; the probe mem__large alone, while the account, if any, is not to have what
 * they see. */
enum native_use { NATIVE_UNUSED, NATIVE_COUNTED, NATIVE_ASIDE };

/* native_hooks.c's. */
extern _Atomic enum native_use native_use;

/* Whether this call is of use; then account_leave() follows. */
static inline bool native_enter(void) {
    enum native_use use = atomic_load_explicit(&native_use, memory_order_relaxed);

    if (LIKELY(use == NATIVE_COUNTED))
        return account_enter();
    return use == NATIVE_ASIDE && account_enter_aside();
}

#endif
