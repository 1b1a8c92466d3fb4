/* SPDX-License-Identifier: Apache-2.0
 *
 * A look at one thread, from outside: what it does now, and how much time it has used.
 *
 * The sampler's thread alone. No Python.h, no GIL.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_LOOK_H
#define PYUSDT_CONTROL_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/proc_thread.h"
#include "calltree/calltree_types.h"
#include "control/timesheet.h"

/* What the one who looks knows. */
struct looker {
    struct proc_files files;
    bool hurries; /* there are many threads: one that has not run since it was seen waiting waits
                     still, unless it is ready for a CPU by now */
    bool unsure;  /* some thread waits for what may be the GIL */
};

/* What is kept of a thread from one look to the next. Zeros: nothing yet. */
struct look_kept {
    struct proc_thread files;
    uint64_t system_cpu; /* the CPU clock when the system time was read last, or 0 */
    bool knows_switches;
    uint64_t switches; /* when it was seen ready last */
};

/* What a look begins with: the thread, and what its timesheet has of it. */
struct look_start {
    pid_t tid;
    const struct calltree *tree; /* borrowed for look_where() */
    uint64_t cpu, cpu_left;
    bool waits; /* since the last look, if it has not run */
};

/* Where it is and whether it runs; `again`: it waits where it waited. The state of the system call
 * is for look_what(). False: there is no such thread. */
bool look_where(struct looker *looker, struct look_kept *kept, const struct look_start *start,
                struct timesheet_look *look, struct proc_call *call, bool *again);

/* What it waits for, and the times that only the kernel knows. */
void look_what(struct looker *looker, struct look_kept *kept, const struct look_start *start,
               struct timesheet_look *look, const struct proc_call *call);

#endif
