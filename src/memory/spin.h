/* SPDX-License-Identifier: Apache-2.0
 *
 * A lock that is held for tens of nanoseconds, by any thread, also within an allocator's hook.
 *
 * errno stays as it was; no cancellation, no allocation.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_SPIN_H
#define PYUSDT_MEMORY_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/compiler.h"

/* Zeros are a free one. */
struct spin {
    _Atomic bool held;
};

/* Waits until it is free, or may be. */
void spin_wait(const struct spin *spin);

ALWAYS_INLINE void spin_lock(struct spin *spin) {
    while (UNLIKELY(atomic_exchange_explicit(&spin->held, true, memory_order_acquire)))
        spin_wait(spin);
}

ALWAYS_INLINE void spin_unlock(struct spin *spin) {
    atomic_store_explicit(&spin->held, false, memory_order_release);
}

#endif
