/* SPDX-License-Identifier: Apache-2.0
 *
 * What pyusdt says to people: one line on stderr, written at once and past every buffer of the
 * program (a thread that does not hold the GIL may say something).
 */
#ifndef PYUSDT_BASE_LOG_H
#define PYUSDT_BASE_LOG_H

#include <stdbool.h>

#include "base/compiler.h"

/* The setting `verbose`: report what goes on and off, not only what goes wrong. Any thread. */
extern bool log_verbose;

/* Write "pyusdt: ", the text (cut to about 500 bytes) and a newline to file descriptor 2. Any
 * thread, no GIL. An error is ignored: there is nobody to tell. */
PRINTF_LIKE(1, 2) void log_line(const char *format, ...);

#endif
