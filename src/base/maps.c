/* SPDX-License-Identifier: Apache-2.0 */
#include "base/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/pages.h"

/* A line begins "start-end rwxp ", in hexadecimal. The rest of it, with a path, is skipped. */
struct reader {
    int file;
    ssize_t size, at;
    char buffer[4096];
};

static int next(struct reader *r) {
    if (r->at == r->size) {
        do
            r->size = read(r->file, r->buffer, sizeof r->buffer);
        while (r->size < 0 && errno == EINTR);
        r->at = 0;
        if (r->size <= 0) {
            r->size = 0;
            return -1;
        }
    }
    return (unsigned char)r->buffer[r->at++];
}

static int digit(int c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether a number was read, and `end` behind it. */
static bool read_number(struct reader *r, uintptr_t *number, int end) {
    int c = next(r), n = 0;

    *number = 0;
    for (; digit(c) >= 0; c = next(r), n++)
        *number = *number << 4 | (uintptr_t)digit(c);
    return n > 0 && c == end;
}

static bool read_line(struct reader *r, struct maps_range *range) {
    int c;

    if (!read_number(r, &range->start, '-') || !read_number(r, &range->end, ' '))
        return false;
    range->protection = next(r) == 'r' ? PROT_READ : 0;
    range->protection |= next(r) == 'w' ? PROT_WRITE : 0;
    range->protection |= next(r) == 'x' ? PROT_EXEC : 0;
    do
        c = next(r);
    while (c != '\n' && c >= 0);
    return true;
}

static int add(struct maps *maps, const struct maps_range *range) {
    struct maps_range *last = maps->n ? &maps->ranges[maps->n - 1] : NULL, *grown;

    if (last && last->end == range->start && last->protection == range->protection) {
        last->end = range->end;
        return 0;
    }
    if (maps->n == maps->room) {
        size_t room = maps->room ? 2 * maps->room : 1024;

        grown = pages_resize(maps->ranges, maps->room * sizeof *grown, room * sizeof *grown);
        if (!grown)
            return -1;
        maps->ranges = grown;
        maps->room = room;
    }
    maps->ranges[maps->n++] = *range;
    return 0;
}

int maps_read(struct maps *maps) {
    struct reader reader = {.file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    struct maps_range range;
    int ret = 0;

    *maps = (struct maps){0};
    if (reader.file < 0)
        return -1;
    while (ret == 0 && read_line(&reader, &range))
        ret = add(maps, &range);
    close(reader.file);
    return maps->n ? ret : -1;
}

void maps_free(struct maps *maps) {
    pages_free(maps->ranges, maps->room * sizeof *maps->ranges);
    *maps = (struct maps){0};
}

int maps_protection(const struct maps *maps, uintptr_t start, size_t size) {
    size_t low = 0, high = maps->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (maps->ranges[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == maps->n || maps->ranges[low].start > start || size > maps->ranges[low].end - start)
        return -1;
    return maps->ranges[low].protection;
}
