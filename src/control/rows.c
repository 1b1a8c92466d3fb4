/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rows.h"

#include <string.h>
#include <sys/mman.h>

#define FIRST 65536

static bool make_room(struct rows *rows, size_t size) {
    size_t room = rows->room ? rows->room : FIRST;
    void *data = rows->data;

    while (room < rows->size + size)
        room *= 2;
    if (!data)
        data = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    else if (room != rows->room)
        data = mremap(data, rows->room, room, MREMAP_MAYMOVE);
    if (data == MAP_FAILED)
        return false;
    rows->data = data;
    rows->room = room;
    return true;
}

int rows_append(struct rows *rows, const void *data, size_t size) {
    if (!make_room(rows, size)) {
        rows->failed = true;
        return -1;
    }
    memcpy(rows->data + rows->size, data, size);
    rows->size += size;
    return 0;
}

void rows_free(struct rows *rows) {
    if (rows->data)
        munmap(rows->data, rows->room);
    *rows = (struct rows){0};
}
