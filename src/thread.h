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
#ifndef PYUSDT_THREAD_H
#define PYUSDT_THREAD_H

#include <Python.h>
#include <stdbool.h>

#include "calltree.h"

struct thread {
    struct calltree *tree; /* owned */
    unsigned long ident;   /* as Python's threading knows it */
    uint32_t epoch;        /* the caller's: of when its frames were last known to be right */
    bool told;             /* the caller's: thread__state was fired for it */
    bool seen;             /* it has had an event, and so it tells when it ends */
    _Atomic bool ended;    /* set by the thread itself as it ends, without the GIL */
    struct thread *next;
};

/* 0, or -1 with an exception set. */
int thread_init(void);

extern _Thread_local struct thread *t_thread;
struct thread *thread_meet(void);

/* The running thread; NULL: out of memory. */
static inline struct thread *thread_self(void) {
    struct thread *thread = t_thread;

    return __builtin_expect(thread != NULL, 1) ? thread : thread_meet();
}

/* Call `visit` for each thread that has a Python frame now, with the newest one (borrowed). Names
 * them, and finds those that ended without a word. Where threads run without a GIL nobody is
 * visited: their stacks are not ours to read. */
void thread_each_running(void (*visit)(struct thread *, PyObject *frame, void *), void *context);

/* Call `visit` for each living thread, or only those that are not yet told. Names them. */
void thread_each_untold(bool all, void (*visit)(struct thread *, void *), void *context);

/* True when there is a thread that was not told yet. No GIL. */
bool thread_has_news(void);

/* Calls that no tree tells apart or has at all, for want of memory or for their depth. Any thread,
 * no GIL. */
uint64_t thread_losses(void);

/* The other threads of the parent did not come along. In the child of a fork. */
void thread_postfork_child(void);

#endif
