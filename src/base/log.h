/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages to the user: one line each on stderr, written by one system call and past all buffers of
 * the program, so that a thread without the GIL can log too.
 */
#ifndef PYUSDT_BASE_LOG_H
#define PYUSDT_BASE_LOG_H

#include <stdbool.h>

#include "base/compiler.h"

/* The setting `verbose`: also log when events are enabled and disabled, not only errors. Any
 * thread. */
extern bool log_verbose;

/* Write "pyusdt: ", the text (cut to about 500 bytes) and a newline to file descriptor 2. Any
 * thread, no GIL. A failed write is ignored: there is nowhere to report it. */
PRINTF_LIKE(1, 2) void log_line(const char *format, ...);

#endif
