/* SPDX-License-Identifier: Apache-2.0 */
#include "control/look.h"

#include "base/clock.h"
#include "base/wait_class.h"
#include "python/gil_futex.h"

/* The kernel counts system time in ticks of 10 ms: it is asked once so much CPU time has passed. */
#define SYSTEM_NS UINT64_C(5000000)

/* With so much CPU time that is not charged, a thread that is ready counts as one that runs: where
 * there is but one CPU, it never runs while we look. */
#define STARVED_NS UINT64_C(50000000)

static bool now(pid_t tid, struct timesheet_look *look) {
    bool there = proc_thread_cpu(tid, &look->cpu);

    look->wall = clock_monotonic_ns();
    return there;
}

/* Between two readings of its CPU clock: whether it has run meanwhile shows whether it is on a CPU
 * or ready for one, which the kernel does not distinguish. */
bool look_where(struct looker *looker, struct look_kept *kept, const struct look_start *start,
                struct timesheet_look *look, struct proc_call *call, bool *again) {
    uint64_t first;

    *again = false;
    if (!now(start->tid, look))
        return false;
    first = look->cpu;
    if (looker->hurries && start->waits && first == start->cpu) {
        look->state = TIMESHEET_WAITS;
        *again = true;
        return true;
    }
    proc_thread_call(&looker->files, &kept->files, start->tid, call);
    look->place =
        charge_place_of(atomic_load_explicit(&start->tree->current, memory_order_acquire));
    if (!now(start->tid, look))
        return false;
    if (call->state == PROC_IN_CALL)
        look->state = TIMESHEET_WAITS;
    else
        look->state = look->cpu != first ? TIMESHEET_RUNS : TIMESHEET_READY;
    return true;
}

/* A thread that is ready, and has not waited since it was seen ready before, has lost its CPU in
 * the middle of what it was doing. */
static bool is_preempted(struct looker *looker, struct look_kept *kept,
                         const struct look_start *start, uint64_t ran) {
    uint64_t before = kept->switches;
    bool knew = kept->knows_switches;

    if (!ran)
        return false;
    kept->knows_switches =
        proc_thread_switches(&looker->files, &kept->files, start->tid, &kept->switches);
    return (knew && kept->knows_switches && kept->switches == before) ||
           start->cpu_left + ran > STARVED_NS;
}

static struct charge_kind kind_of(int class, int64_t number) {
    return (struct charge_kind){(uint16_t) class,
                                class == PYUSDT_CHARGE_OTHER ? (uint32_t)number : 0};
}

/* What a thread in a system call waits for. */
static struct charge_kind reason(struct looker *looker, struct look_kept *kept, pid_t tid,
                                 const struct proc_call *call) {
    struct proc_stat stat = {.letter = 'S'};
    int class = wait_class(call->number);

    if (class == WAIT_BY_ADDRESS) {
        looker->unsure |= !gil_futex_settled();
        class = gil_futex_is(call->argument) ? PYUSDT_CHARGE_GIL : PYUSDT_CHARGE_LOCK;
    }
    if (class == WAIT_BY_DESCRIPTOR || call->number < 0)
        proc_thread_stat(&looker->files, &kept->files, tid, &stat);
    if (class == WAIT_BY_DESCRIPTOR)
        class = proc_thread_is_stream(&looker->files, tid, call->argument, stat.letter)
                    ? PYUSDT_CHARGE_NET
                    : PYUSDT_CHARGE_DISK;
    if (call->number < 0 && stat.letter == 'D')
        class = PYUSDT_CHARGE_DISK; /* for a page */
    return kind_of(class, call->number);
}

/* A program that has changed its user may not read its own system calls any more. The state's
 * letter is for all. */
static void guess(struct looker *looker, struct look_kept *kept, pid_t tid,
                  struct timesheet_look *look) {
    struct proc_stat stat;
    bool known = proc_thread_stat(&looker->files, &kept->files, tid, &stat);

    if (known && stat.letter == 'R')
        return;
    look->state = TIMESHEET_WAITS;
    look->kind =
        kind_of(known && stat.letter == 'D' ? PYUSDT_CHARGE_DISK : PYUSDT_CHARGE_OTHER, UINT32_MAX);
}

void look_what(struct looker *looker, struct look_kept *kept, const struct look_start *start,
               struct timesheet_look *look, const struct proc_call *call) {
    struct proc_stat stat;

    if (look->state == TIMESHEET_WAITS)
        look->kind = reason(looker, kept, start->tid, call);
    else if (look->state == TIMESHEET_READY && call->state == PROC_UNKNOWN)
        guess(looker, kept, start->tid, look);
    if (look->state == TIMESHEET_READY)
        look->preempted = is_preempted(looker, kept, start, look->cpu - start->cpu);
    look->knows_delay = proc_thread_delay(&looker->files, &kept->files, start->tid, &look->delay);
    if (kept->system_cpu && look->cpu - kept->system_cpu < SYSTEM_NS)
        return;
    look->knows_system = proc_thread_stat(&looker->files, &kept->files, start->tid, &stat);
    look->system = stat.system_ns;
    kept->system_cpu = look->cpu;
}
