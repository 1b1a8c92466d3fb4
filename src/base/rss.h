/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process has in RAM.
 */
#ifndef PYUSDT_BASE_RSS_H
#define PYUSDT_BASE_RSS_H

#include <stddef.h>
#include <stdint.h>

/* In bytes; 0: there is no /proc. About ten microseconds. errno stays as it was. */
uint64_t rss_read(void);

/* The text of a small file, or "". */
void rss_read_text(const char *path, char *text, size_t size);

#endif
