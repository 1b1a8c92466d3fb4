/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor: the probes of src/probe/probes.c, fired from a bare C loop. No program that fires a
 * probe for each event can cost less.
 *
 *   floor SIZE PROBE...
 *
 * It uses the protocol of worker.py: it prints "ready", then answers every byte on stdin with a
 * line, the processor time in ns that SIZE hits of each probe took, and SIZE. A "w" does not wait:
 * the semaphore is raised when the tracer has attached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe/probes.h"

/* Like the callbacks: check the semaphore, then call with the fields of the record. */
#define HIT_ENTRY(name) probe_##name("work", "/srv/app/work.py", 1, 0, "Class.work", 1)
#define HIT_VALUE(name) probe_##name("work", "/srv/app/work.py", 1, 0, "1", "Class.work", 1)
#define HIT_CALL(name) HIT_VALUE(name)
#define HIT_STOP(name) HIT_VALUE(name)
#define HIT_RAISED(name) HIT_VALUE(name)
#define HIT_LINE(name) probe_##name("work", "/srv/app/work.py", 1, "Class.work", 1)

#define DEFINE_HIT(name, shape, ...)                                                               \
    static void hit_##name(void) {                                                                 \
        if (probe_on(PROBE_##name))                                                                \
            HIT_##shape(name);                                                                     \
    }
PYUSDT_EVENTS(DEFINE_HIT)

#define HIT_ROW(name, ...) {#name, hit_##name},
static const struct {
    const char *name;
    void (*hit)(void);
} s_hits[] = {PYUSDT_EVENTS(HIT_ROW)};

enum { CHOSEN_MAX = sizeof s_hits / sizeof *s_hits };

static void (*s_chosen[CHOSEN_MAX])(void);
static int s_count;

static int choose(const char *name) {
    for (size_t i = 0; i < sizeof s_hits / sizeof *s_hits; i++)
        if (!strcmp(s_hits[i].name, name) && s_count < CHOSEN_MAX) {
            s_chosen[s_count++] = s_hits[i].hit;
            return 0;
        }
    fprintf(stderr, "floor: no probe %s, or too many\n", name);
    return -1;
}

static long long now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void run(long size) {
    for (long i = 0; i < size; i++)
        for (int c = 0; c < s_count; c++)
            s_chosen[c]();
}

int main(int argc, char **argv) {
    long size = argc > 2 ? atol(argv[1]) : 0;
    char request;

    for (int i = 2; i < argc; i++)
        if (choose(argv[i]) < 0)
            return 2;
    printf("ready\n");
    fflush(stdout);
    while (read(0, &request, 1) == 1) {
        long long begin = now_ns();

        if (request == 'r')
            run(size);
        printf("%lld %ld\n", now_ns() - begin, size);
        fflush(stdout);
    }
    return 0;
}
