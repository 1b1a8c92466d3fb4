/* SPDX-License-Identifier: Apache-2.0
 *
 * Somebody else's usdt.h, for tests without a tracer: a probe writes its arguments to a buffer that
 * the test reads, and a semaphore is an ordinary variable that the test writes. heard.py has the
 * other side.
 *
 * The buffer is a row of NUL-terminated texts: for each hit the probe's name, the number of its
 * arguments, and the arguments.
 */
#ifndef CAPTURE_USDT_H
#define CAPTURE_USDT_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CAPTURE_EXPORT __attribute__((visibility("default")))

struct usdt_sema {
    volatile unsigned short active;
};

#define USDT_SEMA(sema) sema
#define USDT_DECLARE_SEMA(sema) extern CAPTURE_EXPORT struct usdt_sema sema
#define USDT_DEFINE_SEMA(sema) CAPTURE_EXPORT struct usdt_sema sema = {0}
#define USDT_SEMA_IS_ACTIVE(sema) ((sema).active != 0)

/* The writer holds the lock: some probes fire without the GIL. */
CAPTURE_EXPORT char capture_buffer[16 << 20];
CAPTURE_EXPORT size_t capture_used;
CAPTURE_EXPORT size_t capture_lost; /* hits that found no room */
static pthread_mutex_t s_capture_lock = PTHREAD_MUTEX_INITIALIZER;

static void capture_text(const char *text) {
    size_t size = strlen(text) + 1;

    if (capture_used + size <= sizeof capture_buffer)
        memcpy(capture_buffer + capture_used, text, size);
    capture_used += size;
}

static void capture_signed(int64_t value) {
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)value);
    capture_text(text);
}

static void capture_unsigned(uint64_t value) {
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    capture_text(text);
}

static void capture_pointer(const void *value) {
    char text[24];

    snprintf(text, sizeof text, "%p", value);
    capture_text(text);
}

#define CAPTURE(x)                                                                                 \
    _Generic((x), char *                                                                           \
             : capture_text, const char *                                                          \
             : capture_text, int32_t                                                               \
             : capture_signed, int64_t                                                             \
             : capture_signed, uint32_t                                                            \
             : capture_unsigned, uint64_t                                                          \
             : capture_unsigned, default                                                           \
             : capture_pointer)(x)
#define CAPTURE_1(a) CAPTURE(a)
#define CAPTURE_2(a, ...) CAPTURE(a), CAPTURE_1(__VA_ARGS__)
#define CAPTURE_3(a, ...) CAPTURE(a), CAPTURE_2(__VA_ARGS__)
#define CAPTURE_4(a, ...) CAPTURE(a), CAPTURE_3(__VA_ARGS__)
#define CAPTURE_5(a, ...) CAPTURE(a), CAPTURE_4(__VA_ARGS__)
#define CAPTURE_6(a, ...) CAPTURE(a), CAPTURE_5(__VA_ARGS__)
#define CAPTURE_7(a, ...) CAPTURE(a), CAPTURE_6(__VA_ARGS__)
#define CAPTURE_8(a, ...) CAPTURE(a), CAPTURE_7(__VA_ARGS__)
#define CAPTURE_9(a, ...) CAPTURE(a), CAPTURE_8(__VA_ARGS__)
#define CAPTURE_10(a, ...) CAPTURE(a), CAPTURE_9(__VA_ARGS__)
#define CAPTURE_COUNT(...) CAPTURE_COUNT_(__VA_ARGS__, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, ~)
#define CAPTURE_COUNT_(a, b, c, d, e, f, g, h, i, j, n, ...) n
#define CAPTURE_CAT(a, b) CAPTURE_CAT_(a, b)
#define CAPTURE_CAT_(a, b) a##b

/* A hit is whole in the buffer, or not there and counted. */
#define USDT_WITH_EXPLICIT_SEMA(sema, provider, name, ...)                                         \
    do {                                                                                           \
        size_t before;                                                                             \
                                                                                                   \
        pthread_mutex_lock(&s_capture_lock);                                                       \
        before = capture_used;                                                                     \
        capture_text(#name);                                                                       \
        capture_signed(CAPTURE_COUNT(__VA_ARGS__));                                                \
        CAPTURE_CAT(CAPTURE_, CAPTURE_COUNT(__VA_ARGS__))(__VA_ARGS__);                            \
        if (capture_used > sizeof capture_buffer) {                                                \
            capture_used = before;                                                                 \
            capture_lost++;                                                                        \
        }                                                                                          \
        pthread_mutex_unlock(&s_capture_lock);                                                     \
    } while (0)

#endif
