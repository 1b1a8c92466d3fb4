/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads that have, or had, a call tree.
 *
 * A thread is met in one of two ways: it has an event (thread_self()), or it is found in
 * sys._current_frames() while it is blocked (thread_each_running()). Its tree, and the slot in it,
 * live as long as the process: when the thread ends, the next new thread gets them.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_THREAD_H
#define PYUSDT_CAPTURE_THREAD_H

#include <Python.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "calltree/calltree.h"

struct thread {
    struct calltree *tree; /* owned */
    unsigned long ident;   /* as Python's threading knows it */
    uint32_t epoch;        /* the caller's: of when its frames were last known to be right */
    bool told;             /* the caller's: thread__state was fired for it */
    bool seen;             /* it has had an event, and so it tells when it ends */
    bool named;            /* as Python's threading has it; then the kernel is not asked */
    bool shown;            /* the caller's: a tracer was told of its slot; the tree stays */
    uint32_t kept;         /* the caller's: not 0: when it ends, its counts are still wanted */
    uint32_t serial;       /* of the thread: 1, 2, ... in the order in which they were met */
    uint64_t began;        /* the caller's: ticks from which on its counts are */
    uint64_t spent;        /* ticks of threads that were told as one with it */
    uint64_t ended_at;     /* ticks; valid once it has ended */
    _Atomic bool ended;    /* set by the thread itself as it ends, without the GIL */
    struct batch *batch;   /* the caller's: NULL for a new thread */
    struct thread *next;
};

/* 0, or -1 with an exception set. */
int thread_init(void);

extern THREAD_LOCAL struct thread *t_thread;

/* thread_self() for a thread that has no entry yet. */
struct thread *thread_meet(void);

/* Name the running thread as soon as it is met: who ends soon is not seen alive again. `begins`: it
 * is about to enter Thread._bootstrap. */
void thread_name_self(struct thread *thread, bool begins);

/* The running thread; NULL: out of memory, or hidden. */
static inline struct thread *thread_self(void) {
    struct thread *thread = t_thread;

    return LIKELY(thread) ? thread : thread_meet();
}

/* Call `visit` for each thread that has a Python frame now, with the newest one (borrowed). Names
 * them, and finds those that ended without a word. Where threads run without a GIL nobody is
 * visited: their stacks are not ours to read. */
void thread_each_running(void (*visit)(struct thread *, PyObject *frame, void *), void *context);

/* Call `visit` for each living thread, or only those that are not yet told. Names them. */
void thread_each_untold(bool all, void (*visit)(struct thread *, void *), void *context);

/* Call `visit` for each thread that has, or had, a tree. `named`: those that live get their names,
 * as they are now. */
void thread_each(bool named, void (*visit)(struct thread *, void *), void *context);

/* From now on the running thread has no entry, or again the one that it had. */
void thread_hide(bool hidden);

/* The running thread is ours: it never has an entry. There is one such thread at a time. */
void thread_is_ours(void);

/* Ended threads that are kept: with more, new ones are told as one with them. */
enum { THREAD_KEPT_MAX = 256 };

/* Threads that were told as one with another, ever. */
extern uint64_t thread_merged;

/* Replace the trees by new ones, but for those that a tracer may hold. Nobody follows now. */
void thread_renew(void);

/* Let the trees take at least `nodes` nodes more; 0: the default. */
void thread_allow(int64_t nodes);

/* True when there is a thread that was not told yet. No GIL. */
bool thread_has_news(void);

/* Calls that no tree tells apart or has at all, for want of memory or for their depth. Any thread,
 * no GIL. */
uint64_t thread_losses(void);

/* The other threads of the parent did not come along. In the child of a fork. */
void thread_postfork_child(void);

#endif
