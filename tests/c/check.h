/* SPDX-License-Identifier: Apache-2.0
 *
 * What the C tests share: CHECK, and a main that runs a table of tests. A test program prints the
 * name of each test before it runs, and ends at the first failure.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define CHECK_EQUAL(left, right)                                                                   \
    do {                                                                                           \
        long long left_ = (long long)(left), right_ = (long long)(right);                          \
        if (left_ != right_) {                                                                     \
            fprintf(stderr, "%s:%d: failed: %s is %lld, wanted %s = %lld\n", __FILE__, __LINE__,   \
                    #left, left_, #right, right_);                                                 \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Whether the program is built with a sanitizer that has functions of its own for those of the C
 * library. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

struct test {
    const char *name;
    void (*run)(void);
};
#define TEST(name)                                                                                 \
    { #name, name }

static inline int run_tests(const struct test *tests, size_t n) {
    for (size_t i = 0; i < n; i++) {
        printf("%s\n", tests[i].name);
        fflush(stdout);
        tests[i].run();
    }
    printf("passed: %zu\n", n);
    return 0;
}

/* How often a loop of `full` turns is run: TEST_SHARE percent, for slow runs (valgrind). */
static inline unsigned turns(unsigned full) {
    const char *share = getenv("TEST_SHARE");
    return share ? (unsigned)((uint64_t)full * strtoul(share, NULL, 10) / 100) : full;
}

/* xorshift64*: the same sequence everywhere. */
static inline uint32_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545F4914F6CDD1Du) >> 32);
}

#endif
