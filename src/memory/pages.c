/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/pages.h"

#include "base/pages.h"

/* In front of what is handed out. It is here, and not with the owner, because the child of a fork
 * gives back what another thread may just have been replacing. */
struct head {
    _Alignas(PAGES_HEAD) size_t size; /* with the head */
};

static size_t s_left = PAGES_MAX;

void *pages_map(size_t size) {
    struct head *head;

    if (size > PAGES_MAX || size + sizeof *head > s_left)
        return NULL;
    size += sizeof *head;
    head = pages_resize(NULL, 0, size);
    if (!head)
        return NULL;
    s_left -= size;
    head->size = size;
    return head + 1;
}

void pages_unmap(void *memory) {
    struct head *head = memory;

    if (!head)
        return;
    head--;
    s_left += head->size;
    pages_free(head, head->size);
}
