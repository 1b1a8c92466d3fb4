/* SPDX-License-Identifier: Apache-2.0
 *
 * The probe mem__large: hooks of allocators report here what they hand out.
 *
 * Any thread, with or without the GIL, also as it ends; no lock is taken, nothing is allocated.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_LARGE_H
#define PYUSDT_MEMORY_LARGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Private to large_allocated(): from how many bytes on a block is large; SIZE_MAX: the probe is
 * not watched. */
extern _Atomic size_t large_from;

/* Fires, unless `block` is NULL. */
void large_fire(const void *block, size_t size);

/* After the allocation: a block of `size` bytes, or NULL. Between account_enter() and
 * account_leave(), so that each block is reported once. */
ALWAYS_INLINE void large_allocated(const void *block, size_t size) {
    if (UNLIKELY(size >= atomic_load_explicit(&large_from, memory_order_relaxed)))
        large_fire(block, size);
}

/* Whether it fires, and from how many bytes on. GIL held. */
void large_watch(bool watched);
void large_set(size_t bytes);

#endif
