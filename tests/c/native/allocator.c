/* SPDX-License-Identifier: Apache-2.0
 *
 * An allocator to be preloaded, in the place of the C library's and the C++ library's. It maps a
 * large piece at a time, gives nothing back, and maps some more when a block is freed: none of that
 * is the program's.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { PIECE = 16 << 20, HEAD = 16 };

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static char *s_next, *s_end;

/* As the C library does: the child of a fork has no thread that would give it back. */
static void lock(void) {
    pthread_mutex_lock(&s_lock);
}

static void unlock(void) {
    pthread_mutex_unlock(&s_lock);
}

__attribute__((constructor)) static void attend_forks(void) {
    pthread_atfork(lock, unlock, unlock);
}

static char *map(size_t size) {
    char *piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return piece == MAP_FAILED ? NULL : piece;
}

static size_t *head(void *block) {
    return (size_t *)((char *)block - HEAD);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    size_t needs = size + alignment + HEAD;
    char *found;

    if (size > (size_t)1 << 40)
        return ENOMEM;
    lock();
    if ((size_t)(s_end - s_next) < needs) {
        s_next = map(needs + PIECE);
        s_end = s_next ? s_next + needs + PIECE : NULL;
    }
    found = s_next ? (char *)(((uintptr_t)s_next + HEAD + alignment - 1) & -alignment) : NULL;
    s_next = found ? found + size : s_next;
    unlock();
    if (!found)
        return ENOMEM;
    *head(found) = size;
    *block = found;
    return 0;
}

void *memalign(size_t alignment, size_t size) {
    void *block;
    int error = posix_memalign(&block, alignment < 16 ? 16 : alignment, size);

    if (error)
        errno = error;
    return error ? NULL : block;
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

void *valloc(size_t size) {
    return memalign(4096, size);
}

void *malloc(size_t size) {
    return memalign(16, size);
}

void *calloc(size_t n, size_t size) {
    return size && n > SIZE_MAX / size ? NULL : memalign(16, n * size); /* always new, so zero */
}

void free(void *block) {
    char *page = block ? map(4096) : NULL;

    if (page)
        munmap(page, 4096);
}

void *realloc(void *block, size_t size) {
    void *moved = memalign(16, size);

    if (moved && block)
        memcpy(moved, block, *head(block) < size ? *head(block) : size);
    return moved;
}

/* new and delete, of C++, by the names that compilers give them; with [] too. */
void *_Znwm(size_t size) {
    return memalign(16, size);
}

void *_Znam(size_t size) {
    return memalign(16, size);
}

void _ZdlPv(void *block) {
    free(block);
}

void _ZdaPv(void *block) {
    free(block);
}

void _ZdlPvm(void *block, size_t size) {
    (void)size;
    free(block);
}

void _ZdaPvm(void *block, size_t size) {
    (void)size;
    free(block);
}
