/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rss.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void rss_read_text(const char *path, char *text, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = file >= 0 ? read(file, text, size - 1) : 0;

    text[n > 0 ? n : 0] = '\0';
    if (file >= 0)
        close(file);
}

uint64_t rss_read(void) {
    int error = errno;
    char text[200], *second;

    rss_read_text("/proc/self/statm", text, sizeof text);
    second = strchr(text, ' ');
    errno = error;
    return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
