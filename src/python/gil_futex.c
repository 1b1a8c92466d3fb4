/* SPDX-License-Identifier: Apache-2.0
 *
 * CPython's GIL (struct _gil_runtime_state in 3.12 to 3.15) is a condition and its mutex, and both
 * once more for the moment of a switch, one behind the other. A waiter waits in the first: so what
 * lies between the condition's beginning and the end of the last mutex is the GIL's.
 */
#include "python/gil_futex.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/wait_class.h"
#include "python/compat.h"
#include "python/gil.h"

/* From the word that a waiter shows: to the beginning of its condition, and to the end of all. */
#define BEFORE sizeof(pthread_cond_t)
#define BEHIND (2 * (sizeof(pthread_cond_t) + sizeof(pthread_mutex_t)) - sizeof(pthread_cond_t))

/* How long it is looked for with the GIL held, and how often in the life of a process. */
enum { FIND_NS = 20000000, PAUSE_NS = 100000, FINDS_MAX = 3 };

static _Atomic uint64_t s_address; /* 0: not known */
static atomic_bool s_requested;
static int s_finds; /* under the GIL */

bool gil_futex_settled(void) {
#ifdef __GLIBC__
    return s_address || !compat_others_wait();
#else
    return true;
#endif
}

bool gil_futex_is(uint64_t address) {
    uint64_t known = s_address;

    return known && address + BEFORE > known && address < known + BEHIND;
}

void gil_futex_look(struct proc_files *files) {
    uint64_t asking = gil_asking();
    struct proc_thread thread = {0};
    struct proc_call call;

    if (!asking || gil_futex_settled())
        return;
    proc_thread_call(files, &thread, (pid_t)(uint32_t)asking, &call);
    proc_thread_close(&thread, files);
    if (call.state == PROC_IN_CALL && wait_class(call.number) == WAIT_BY_ADDRESS &&
        gil_asking() == asking)
        s_address = call.argument & ~UINT64_C(7);
}

void gil_futex_find(void) {
    const struct timespec pause = {0, PAUSE_NS};
    struct proc_files files = {0};

    if (gil_futex_settled() || s_finds++ >= FINDS_MAX)
        return;
    gil_futex_request();
    for (int i = 0; i < FIND_NS / PAUSE_NS && !gil_futex_settled(); i++) {
        gil_futex_look(&files);
        nanosleep(&pause, NULL);
    }
}

void gil_futex_request(void) {
    s_requested = !gil_futex_settled();
}

bool gil_futex_requested(void) {
    return atomic_exchange(&s_requested, false);
}
