/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/spin.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long to wait before each next way to wait. */
enum { SPINS = 100, YIELDS = 100 };
#define PAUSE_NS 50000

enum { SEATS = 1024 };

/* To become the owner: so many times in a row; twice as many after each owner that was ended within
 * SOON of the one before, up to MOST. */
enum { ENOUGH = 32, MOST_ENOUGH = 1 << 20 };
#define SOON_NS 10000000u

static struct spin_seat s_seats[SEATS];
static _Atomic uint32_t s_seated;
static _Atomic bool s_allowed;
THREAD_LOCAL struct spin_seat *spin_t_seat;

/* Sanitizers know nothing of what the kernel orders. */
#if defined(__SANITIZE_THREAD__)
#define KNOWS_BARRIERS false
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KNOWS_BARRIERS false
#else
#define KNOWS_BARRIERS true
#endif
#else
#define KNOWS_BARRIERS true
#endif

void spin_allow_owner(void) {
    int error = errno;

    s_allowed = KNOWS_BARRIERS &&
                syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    errno = error;
}

void spin_postfork_child(struct spin *spin) {
    if (spin_t_seat)
        atomic_store(&spin_t_seat->inside, false);
    *spin = (struct spin){0};
    if (s_allowed)
        spin_allow_owner();
}

/* Who is inside may wait for a CPU: a thread of a higher priority must not spin it away. Not by
 * nanosleep(), where a thread may be cancelled. */
static COLD void wait_for(const _Atomic bool *flag) {
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int error = errno;

    for (unsigned n = 0; atomic_load_explicit(flag, memory_order_acquire); n++) {
        if (n < SPINS)
            atomic_signal_fence(memory_order_seq_cst);
        else if (n < SPINS + YIELDS)
            sched_yield();
        else
            syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    errno = error;
}

static struct spin_seat *seat_of_thread(void) {
    uint32_t n;

    if (!spin_t_seat && atomic_load_explicit(&s_seated, memory_order_relaxed) < SEATS) {
        n = atomic_fetch_add(&s_seated, 1);
        spin_t_seat = n < SEATS ? &s_seats[n] : NULL;
    }
    return spin_t_seat;
}

static uint64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The lock is held. The barrier cannot fail: it has been registered for this process. */
static COLD void end_owner(struct spin *spin, const struct spin_seat *owner) {
    uint64_t now = now_ns();
    int error = errno;

    atomic_store(&spin->owner, NULL);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
        syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    errno = error;
    wait_for(&owner->inside);
    if (now - spin->ended_ns > SOON_NS)
        spin->enough = ENOUGH;
    else if (spin->enough < MOST_ENOUGH)
        spin->enough *= 2;
    spin->ended_ns = now;
    spin->last = NULL;
}

/* The lock is held. */
static void become_owner(struct spin *spin, struct spin_seat *seat) {
    spin->row = spin->last == seat ? spin->row + 1 : 0;
    spin->last = seat;
    if (UNLIKELY(!spin->enough))
        spin->enough = ENOUGH;
    if (seat && spin->row >= spin->enough && s_allowed)
        atomic_store_explicit(&spin->owner, seat, memory_order_relaxed);
}

NOINLINE void spin_lock_slowly(struct spin *spin) {
    struct spin_seat *seat = seat_of_thread(), *owner;

    while (UNLIKELY(atomic_exchange_explicit(&spin->held, true, memory_order_acquire)))
        wait_for(&spin->held);
    owner = atomic_load_explicit(&spin->owner, memory_order_relaxed);
    if (UNLIKELY(owner && owner != seat))
        end_owner(spin, owner);
    become_owner(spin, seat);
}
