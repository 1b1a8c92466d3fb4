/* SPDX-License-Identifier: Apache-2.0
 *
 * A lock that is held for tens of nanoseconds, by any thread, also within an allocator's hook.
 *
 * Biased: a thread that takes it many times in a row, as who has the GIL does, becomes its owner,
 * and takes it from then on by two plain stores, where an atomic exchange would cost more than all
 * that is done under the lock. Another thread first ends that: it says so, has the kernel run a
 * barrier on every CPU that runs one of our threads (membarrier(2)), and waits until the owner is
 * out. After the barrier, the owner either has seen that it is none any more, or is seen inside.
 * That costs microseconds, so an owner that is soon ended comes back later each time.
 *
 * errno stays as it was; no cancellation, no allocation. A thread may not take it twice.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_SPIN_H
#define PYUSDT_MEMORY_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Of a thread, for the life of the process: who ends an owner looks at it, though that be gone. */
struct spin_seat {
    _Alignas(64) _Atomic bool inside;
};

/* Zeros are a free one without an owner. */
struct spin {
    _Atomic bool held;
    _Atomic(struct spin_seat *) owner;
    /* Under the lock: who took it last without being its owner, how often in a row, and how often
     * it takes to become that; when an owner was ended last. */
    struct spin_seat *last;
    uint32_t row, enough;
    uint64_t ended_ns;
};

extern THREAD_LOCAL struct spin_seat *spin_t_seat; /* NULL: none yet, or there are no more */

/* From now on there may be an owner, where the kernel lets us. In the child of a fork, too: then
 * the lock is free, and has none. One thread at a time. */
void spin_allow_owner(void);

/* Not as its owner, which this thread may become. */
void spin_lock_slowly(struct spin *spin);

/* Takes it, if this thread is its owner; what it returns is for spin_unlock(). NULL: it is not. */
ALWAYS_INLINE _Atomic bool *spin_try_owner(struct spin *spin) {
    struct spin_seat *seat = spin_t_seat;

    if (UNLIKELY(!seat))
        return NULL;
    atomic_store_explicit(&seat->inside, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (LIKELY(atomic_load_explicit(&spin->owner, memory_order_acquire) == seat))
        return &seat->inside;
    atomic_store_explicit(&seat->inside, false, memory_order_release);
    return NULL;
}

/* What it returns is for spin_unlock(). */
ALWAYS_INLINE _Atomic bool *spin_lock(struct spin *spin) {
    _Atomic bool *locked = spin_try_owner(spin);

    if (LIKELY(locked))
        return locked;
    spin_lock_slowly(spin);
    return &spin->held;
}

ALWAYS_INLINE void spin_unlock(_Atomic bool *locked) {
    atomic_store_explicit(locked, false, memory_order_release);
}

/* In the child of a fork: it is free, and has no owner. */
void spin_postfork_child(struct spin *spin);

#endif
