/* SPDX-License-Identifier: Apache-2.0
 *
 * A library that calls give() and take(), and has their addresses in its data. The test builds it
 * in several ways, each with another NAME.
 */
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define OF(what) JOIN(NAME, what)

int give(void);
int take(void);

struct pair {
    int (*give)(void), (*take)(void);
};

#ifdef OWN
int give(void) {
    return 7;
}
#endif

/* Words in data that stays writable, and in data that does not. */
struct pair OF(writable) = {give, take};
static const struct pair *const s_readable = &(const struct pair){give, take};

int OF(calls_give)(void) {
    return give() + 0;
}

int OF(calls_take)(void) {
    return take() + 0;
}

const struct pair *OF(readable)(void) {
    return s_readable;
}

#ifdef SLOW
#include <semaphore.h>

extern sem_t slow_has_begun, slow_may_end;

__attribute__((constructor)) static void construct(void) {
    sem_post(&slow_has_begun);
    while (sem_wait(&slow_may_end) != 0)
        ;
}
#endif
