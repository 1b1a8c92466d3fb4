/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/spin.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long to wait before each next way to wait. */
enum { SPINS = 100, YIELDS = 100 };
#define PAUSE_NS 50000

/* Who has it may wait for a CPU: a thread of a higher priority must not spin it away. Not by
 * nanosleep(), where a thread may be cancelled. */
COLD void spin_wait(const struct spin *spin) {
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int error = errno;

    for (unsigned n = 0; atomic_load_explicit(&spin->held, memory_order_relaxed); n++) {
        if (n < SPINS)
            atomic_signal_fence(memory_order_seq_cst);
        else if (n < SPINS + YIELDS)
            sched_yield();
        else
            syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    errno = error;
}
