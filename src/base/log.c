/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

bool log_verbose;

/* A value from the environment may contain anything: only ASCII is sure to be no line break and no
 * code of a terminal. */
static void one_line(char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
}

void log_line(const char *format, ...) {
    char text[512] = "pyusdt: ";
    size_t prefix = 8, used;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(text + prefix, sizeof text - prefix - 1, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    used = prefix + (size_t)n;
    if (used > sizeof text - 2)
        used = sizeof text - 2;
    one_line(text, used);
    text[used++] = '\n';
    if (write(STDERR_FILENO, text, used) < 0)
        return;
}
