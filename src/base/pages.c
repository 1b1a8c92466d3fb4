/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pages.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *pages_resize(void *block, size_t old_size, size_t size) {
    int error = errno;
    long at;

    if (block)
        at = syscall(SYS_mremap, block, old_size, size, MREMAP_MAYMOVE);
    else
        at = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0L);
    errno = error;
    return at == -1 ? NULL : (void *)(uintptr_t)at;
}

void pages_free(void *block, size_t size) {
    int error = errno;

    if (block)
        syscall(SYS_munmap, block, size);
    errno = error;
}
