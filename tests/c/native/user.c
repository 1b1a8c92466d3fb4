/* SPDX-License-Identifier: Apache-2.0 */
#include "user.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A function that calls one: calls have slots of another kind than addresses. */
#define USE(result, name, parameters, arguments)                                                   \
    static result use_##name parameters {                                                          \
        return name arguments;                                                                     \
    }
USE(void *, malloc, (size_t size), (size))
USE(void *, calloc, (size_t n, size_t size), (n, size))
USE(void *, realloc, (void *block, size_t size), (block, size))
USE(void *, reallocarray, (void *block, size_t n, size_t size), (block, n, size))
USE(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
USE(void *, memalign, (size_t alignment, size_t size), (alignment, size))
USE(void *, valloc, (size_t size), (size))
USE(int, posix_memalign, (void **block, size_t alignment, size_t size), (block, alignment, size))
USE(char *, strdup, (const char *text), (text))
USE(void *, mmap, (void *at, size_t size, int protection, int flags, int file, off_t offset),
    (at, size, protection, flags, file, offset))
USE(int, munmap, (void *at, size_t size), (at, size))
USE(void *, mremap, (void *at, size_t old_size, size_t size, int flags, void *to),
    (at, old_size, size, flags, to))
USE(void *, dlsym, (void *library, const char *name), (library, name))

static void use_free(void *block) {
    free(block);
}

static void *use_next(const char *name) {
    void *volatile found = dlsym(RTLD_NEXT, name); /* no jump: the caller is to be this library */

    return found;
}

__attribute__((constructor)) static void construct(void) {
    user_latest = (struct user){use_malloc,        use_calloc,   use_realloc, use_reallocarray,
                                use_aligned_alloc, use_memalign, use_valloc,  use_posix_memalign,
                                use_strdup,        use_free,     use_mmap,    use_munmap,
                                use_mremap,        use_dlsym,    use_next};
}

void user_is_here(void) {
}
