/* SPDX-License-Identifier: Apache-2.0
 *
 * Which futexes are the GIL's: found at run time, from a thread of ours that waits for the GIL
 * (gil.h) and so shows, in /proc, the address on which all others wait for it too.
 *
 * Where none is known, waits for the GIL count as waits for a lock: on free-threaded builds, and
 * with musl, where each waiter waits on its own stack.
 */
#ifndef PYUSDT_PYTHON_GIL_FUTEX_H
#define PYUSDT_PYTHON_GIL_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/proc_thread.h"

/* Whether it is known where it is, or it cannot be. Any thread. */
bool gil_futex_settled(void);

/* Whether the futex at that address is the GIL's. Any thread. */
bool gil_futex_is(uint64_t address);

/* See where a thread of ours waits, if one does now. One thread at a time for `files`. No GIL
 * needed. */
void gil_futex_look(struct proc_files *files);

/* See it while the caller holds the GIL, for which a thread of ours is about to wait; at most so
 * long as nobody notices. GIL held. */
void gil_futex_find(void);

/* The watcher is to wait for the GIL, so that somebody may look; once for each request. Any
 * thread. */
void gil_futex_request(void);
bool gil_futex_requested(void);

#endif
