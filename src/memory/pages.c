/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/pages.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In front of what is handed out. It is here, and not with the owner, because the child of a fork
 * gives back what another thread may just have been replacing. */
struct head {
    _Alignas(PAGES_HEAD) size_t size; /* with the head */
};

static size_t s_left = PAGES_MAX;

void *pages_map(size_t size) {
    int error = errno;
    struct head *head;
    long address;

    if (size > PAGES_MAX || size + sizeof *head > s_left)
        return NULL;
    size += sizeof *head;
    address = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      (off_t)0);
    errno = error;
    if (address == -1)
        return NULL;
    s_left -= size;
    head = (struct head *)address;
    head->size = size;
    return head + 1;
}

void pages_unmap(void *memory) {
    struct head *head = memory;
    int error = errno;

    if (!head)
        return;
    head--;
    s_left += head->size;
    syscall(SYS_munmap, head, head->size);
    errno = error;
}
