/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept about a thread that has, or had, a call tree: thread.h has its life.
 */
#ifndef PYUSDT_CAPTURE_THREAD_ENTRY_H
#define PYUSDT_CAPTURE_THREAD_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "calltree/calltree.h"

struct thread {
    struct calltree *tree; /* owned */

    /* tracking.c's. A new thread begins with epoch and ready 0 and state_fired
     * false; the rest stays. */
    uint32_t epoch;   /* tracking_epoch when its frames were last taken over */
    uint32_t ready;   /* tracking_epoch when the thread itself last saw to all that it needs */
    bool switches;    /* between greenlets: it has had a turn of one */
    uint32_t kept;    /* tracking_epoch, or 0; not 0 keeps the entry when the thread ends */
    uint64_t began;   /* ticks when its frames were taken over; merging sets it to UINT64_MAX */
    bool shown;       /* thread__state has given its slot to a tracer: the tree is never freed */
    bool state_fired; /* thread__state has fired for it, with its name */

    /* batch.c's. NULL for a new thread. */
    struct batch *batch;

    /* thread.c's; others read them. */
    bool seen;           /* it has had an event, so thread_ended() will run for it */
    bool named;          /* by Python's threading, whose name is kept then */
    uint32_t serial;     /* of the thread: 1, 2, ... in the order in which they were met */
    unsigned long ident; /* as Python's threading knows it */
    _Atomic bool ended;  /* set by the thread itself as it ends, without the GIL */
    uint64_t ended_at;   /* ticks; valid once it has ended */
    uint64_t spent;      /* ticks of ended threads that were merged with it */
    bool begins;         /* it was met as it began */
    struct thread *next;

    /* sampler.c's, under its lock. */
    struct seat *seat; /* NULL: none yet */
};

/* The entry of the running thread; NULL: it has none yet, or is hidden. thread.c's. */
extern THREAD_LOCAL struct thread *t_thread;

/* Whether the running thread has ended, as far as Python goes: another one may have its entry. */
extern THREAD_LOCAL bool t_over;

/* Whether the running thread is hidden, as those of ours are. thread.c's. */
extern THREAD_LOCAL bool t_hidden;

#endif
