/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void say(const char *format, ...) {
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
    text[used++] = '\n';
    if (write(STDERR_FILENO, text, used) < 0)
        return;
}
