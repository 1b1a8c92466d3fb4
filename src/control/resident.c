/* SPDX-License-Identifier: Apache-2.0 */
#include "control/resident.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/rss.h"

/* Between points, at first; and how many of them have the same swap: it costs much more to read. */
#define INTERVAL_NS UINT64_C(10000000)
enum { SWAP_EVERY = 16 };

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;

/* Under s_lock. */
static struct pyusdt_counts_resident s_points[RESIDENT_MAX];
static size_t s_n;
static uint64_t s_interval_ns = INTERVAL_NS;

/* The sampler's thread alone. */
static unsigned s_until_swap;
static uint64_t s_swap;

static uint64_t read_swap(void) {
    char text[4096], *found;

    rss_read_text("/proc/self/status", text, sizeof text);
    found = strstr(text, "\nVmSwap:");
    return found ? strtoull(found + strlen("\nVmSwap:"), NULL, 10) * 1024 : 0;
}

/* Since the process began, or its program did. */
static uint64_t read_peak(void) {
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

/* Of each two the one with more in RAM. */
static void halve(void) {
    for (size_t i = 0; i < RESIDENT_MAX / 2; i++) {
        const struct pyusdt_counts_resident *two = &s_points[2 * i];

        s_points[i] = two[1].rss > two[0].rss ? two[1] : two[0];
    }
    s_n = RESIDENT_MAX / 2;
    s_interval_ns *= 2;
}

static bool is_due(uint64_t now_ns) {
    bool due;

    pthread_mutex_lock(&s_lock);
    due = s_n == 0 || now_ns - s_points[s_n - 1].at_ns >= s_interval_ns;
    pthread_mutex_unlock(&s_lock);
    return due;
}

void resident_look(uint64_t now_ns) {
    struct pyusdt_counts_resident point = {.at_ns = now_ns};

    if (!is_due(now_ns))
        return;
    point.rss = rss_read();
    if (!point.rss)
        return; /* there is no /proc */
    if (s_until_swap-- == 0) {
        s_swap = read_swap();
        s_until_swap = SWAP_EVERY - 1;
    }
    point.swap = s_swap;
    point.peak = read_peak();
    if (point.peak < point.rss) /* the kernel writes it down later */
        point.peak = point.rss;
    pthread_mutex_lock(&s_lock);
    if (s_n == RESIDENT_MAX)
        halve();
    s_points[s_n++] = point;
    pthread_mutex_unlock(&s_lock);
}

size_t resident_read(uint64_t since_ns, struct pyusdt_counts_resident points[RESIDENT_MAX]) {
    size_t n = 0;

    pthread_mutex_lock(&s_lock);
    for (size_t i = 0; i < s_n; i++)
        if (s_points[i].at_ns > since_ns)
            points[n++] = s_points[i];
    pthread_mutex_unlock(&s_lock);
    return n;
}

void resident_forget(void) {
    pthread_mutex_lock(&s_lock);
    s_n = 0;
    s_interval_ns = INTERVAL_NS;
    pthread_mutex_unlock(&s_lock);
}

void resident_postfork_child(void) {
    pthread_mutex_init(&s_lock, NULL);
    resident_forget();
}
