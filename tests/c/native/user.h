/* SPDX-License-Identifier: Apache-2.0
 *
 * A library that takes memory in every way there is. The test builds it several times, and loads
 * it at several times.
 */
#ifndef USER_H
#define USER_H

#include <stddef.h>
#include <sys/types.h>

struct user {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t n, size_t size);
    void *(*realloc)(void *block, size_t size);
    void *(*reallocarray)(void *block, size_t n, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    int (*posix_memalign)(void **block, size_t alignment, size_t size);
    char *(*strdup)(const char *text);
    void (*free)(void *block);
    void *(*mmap)(void *at, size_t size, int protection, int flags, int file, off_t offset);
    int (*munmap)(void *at, size_t size);
    void *(*mremap)(void *at, size_t old_size, size_t size, int flags, void *to);
    void *(*find)(void *library, const char *name);
    void *(*next)(const char *name); /* what comes after this library in the order of search */
};

/* The program has it: of the library that was loaded last, whose constructor puts it there. */
extern struct user user_latest;

#endif
