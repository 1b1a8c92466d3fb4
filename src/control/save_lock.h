/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock of the saves (save.h), and the GIL under it. The lock is taken before the GIL, and held
 * while a part is written, so nobody waits for it with the GIL held.
 *
 * A thread that keeps the GIL for ever must not keep what has been recorded from the file. So who
 * writes without the GIL, and blind, goes ahead of a holder that only waits for it.
 */
#ifndef PYUSDT_CONTROL_SAVE_LOCK_H
#define PYUSDT_CONTROL_SAVE_LOCK_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* No GIL. */
void save_lock(void);

/* With or without the GIL. */
void save_unlock(void);

/* The lock, with the GIL held before and after; it is released meanwhile. */
void save_lock_with_gil(void);

/* Take the GIL (see gil.h), or take back one that was given, as PyEval_RestoreThread() does. Lock
 * held. */
bool save_take_gil(void);
void save_restore_gil(PyThreadState *state);

/* Where some thread does not give the GIL back: the lock for a writing that is `blind`, so that
 * what is on the stacks is missing. Whoever has the lock and waits for the GIL then waits for ever.
 * False: somebody else was writing for so long. No GIL. */
bool save_lock_blind(uint64_t ns);

/* In the child of a fork. GIL held. */
void save_lock_postfork_child(void);

#endif
