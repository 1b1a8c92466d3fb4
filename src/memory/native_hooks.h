/* SPDX-License-Identifier: Apache-2.0
 *
 * The hooks of native memory: what C and C++ code takes from malloc() and its kin, and from mmap(),
 * is accounted for (account.h), or large enough for a probe (large.h), in all libraries, also those
 * that are loaded later.
 *
 * A library that is loaded has its hooks before dlsym() first finds something in it; where nobody
 * looks for anything, at the watcher's next tick. Its constructors' memory is not seen. Mappings
 * count where they are memory: not those of files on disks, nor those without access.
 *
 * No Python.h, no malloc.
 */
#ifndef PYUSDT_MEMORY_NATIVE_HOOKS_H
#define PYUSDT_MEMORY_NATIVE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "memory/native_use.h"

/* From now on, hooks are wanted for that. Where they are not, those that are there do nothing. Any
 * thread. False: there can be none here. */
bool native_hooks_want(enum native_use use);

/* Put the hooks in, or take them off, as it is wanted; and into libraries that are new. Call it
 * after native_hooks_want(), and from time to time. Any thread, but without the GIL: this may wait
 * for a dlopen() of another thread, which may want it. */
void native_hooks_attend(void);

/* Slots of libraries that could not get their hooks, so far: the kernel did not let us write. Any
 * thread. */
uint64_t native_hooks_refused(void);

/* How often another tool has put its own functions in the place of all of them, or has taken those
 * away, while they were wanted. Any thread. */
uint64_t native_hooks_replaced(void);

#endif
