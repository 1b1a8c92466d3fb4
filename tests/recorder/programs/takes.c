/* SPDX-License-Identifier: Apache-2.0
 *
 * A library that takes memory without Python.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *take(size_t size) {
    return malloc(size);
}

void *move(void *block, size_t size) {
    return realloc(block, size);
}

void give(void *block) {
    free(block);
}

void *copy(const char *text) {
    return strdup(text);
}

void *map(size_t size) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void unmap(void *at, size_t size) {
    munmap(at, size);
}

static void *take_in_thread(void *size) {
    return malloc((size_t)size);
}

/* What a thread that has nothing of Python's has taken. */
void *take_elsewhere(size_t size) {
    pthread_t thread;
    void *block = NULL;

    if (pthread_create(&thread, NULL, take_in_thread, (void *)size) == 0)
        pthread_join(thread, &block);
    return block;
}

/* What this library calls as a function that has hooks; of others, such as malloc(), a program that
 * was linked to fixed addresses may have a stand-in, for all. */
void *hooked(void) {
    return (void *)reallocarray;
}
