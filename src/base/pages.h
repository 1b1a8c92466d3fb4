/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory straight from the kernel, for what must not call an allocator: whoever replaces malloc()
 * must not be called by it. mmap() and its kin may be replaced too, so these are system calls.
 *
 * No Python.h, no GIL. Any thread. Leaves errno as it was.
 */
#ifndef PYUSDT_BASE_PAGES_H
#define PYUSDT_BASE_PAGES_H

#include <stddef.h>

/* Make `size` bytes, at least 1, of a block that has `old_size`, or NULL and 0. Its contents are
 * kept, and what is new is 0. It may move. NULL: no memory, and the block is as it was. */
void *pages_resize(void *block, size_t old_size, size_t size);

/* NULL is ignored. */
void pages_free(void *block, size_t size);

#endif
