/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages for the account's own tables, of which there is a most. They come from the kernel itself
 * (base/pages.h), because the C library's malloc() and mmap() may be what the account is of.
 *
 * One thread at a time. errno stays as it was.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_PAGES_H
#define PYUSDT_MEMORY_PAGES_H

#include <stddef.h>

/* How many bytes there may be together, and of them for what is in front of each. */
enum { PAGES_MAX = 512 << 20, PAGES_HEAD = 64 };

/* `size` bytes of zeros, aligned to 64. NULL: there is no memory, or not for this. */
void *pages_map(size_t size);

/* Gives them back. NULL is fine. */
void pages_unmap(void *memory);

#endif
