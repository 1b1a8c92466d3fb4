/* SPDX-License-Identifier: Apache-2.0
 *
 * Hooks of Python's allocators, for the account: those of the domains raw, mem and obj.
 *
 * Others may hook too, before us and after us (tracemalloc, memray, PYTHONMALLOC=debug). Each calls
 * what it found, so whoever is not the newest cannot leave: then our hooks stay, and pass on.
 *
 * GIL held for all. Nothing leaves an exception set.
 */
#ifndef PYUSDT_MEMORY_PYTHON_HOOKS_H
#define PYUSDT_MEMORY_PYTHON_HOOKS_H

#include <stdbool.h>

/* Have the account know of what Python allocates from now on. False: this Python does not let us.
 */
bool python_hooks_on(void);

/* Between the two: whether the hooks of a domain were missing, because another tool has put back
 * what it had found before ours. They are there again. */
bool python_hooks_renew(void);

/* Take the hooks off, where nobody came after us. */
void python_hooks_off(void);

#endif
