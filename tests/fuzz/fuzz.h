/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the fuzzed programs. Each is linked with libFuzzer, whose main() runs it on generated
 * inputs or on the given files.
 */
#ifndef PYUSDT_FUZZ_H
#define PYUSDT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Split the input at its NULs; the last string has all the rest up to its first NUL. Each is in
 * memory of its own, so that an access beyond it is found. */
static inline void fuzz_split(const uint8_t *data, size_t size, char **strings, int n) {
    for (int i = 0; i < n; i++) {
        size_t length = strnlen((const char *)data, size);
        size_t used = length < size ? length + 1 : length;

        strings[i] = malloc(length + 1);
        memcpy(strings[i], data, length);
        strings[i][length] = '\0';
        data += used;
        size -= used;
    }
}

static inline void fuzz_free(char **strings, int n) {
    for (int i = 0; i < n; i++)
        free(strings[i]);
}

#endif
