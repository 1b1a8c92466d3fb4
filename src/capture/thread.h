/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads that have, or had, a call tree.
 *
 * Entries, and the slots in their trees, live as long as the process: when a thread ends, the next
 * new thread gets its entry. How they come and go: thread.c.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_THREAD_H
#define PYUSDT_CAPTURE_THREAD_H

#include <Python.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "capture/thread_entry.h"

/* 0, or -1 with an exception set. */
int thread_init(void);

/* thread_self() for a thread that has no entry yet. */
struct thread *thread_meet(void);

/* The entry of the running thread. NULL: out of memory, or hidden. */
static inline struct thread *thread_self(void) {
    struct thread *thread = t_thread;

    return LIKELY(thread) ? thread : thread_meet();
}

/* Call `visit` for each thread that has a Python frame now, with the newest one (borrowed). Also
 * ends the entries of threads that are gone. Without a GIL no thread is visited: the stacks of
 * running threads cannot be read. */
void thread_each_running(void (*visit)(struct thread *, PyObject *frame, void *), void *context);

/* Name each living thread and call `visit` for it. Unless `all`, only for those whose
 * thread__state has not fired yet. */
void thread_each_unreported(bool all, void (*visit)(struct thread *, void *), void *context);

/* Call `visit` for each entry. `named`: read the current names of living threads first. */
void thread_each(bool named, void (*visit)(struct thread *, void *), void *context);

/* Hide the running thread, which then has no entry, or give it back the one that it had. */
void thread_hide(bool hidden);

/* Mark the running thread as pyusdt's own: it never has an entry. There is one at a time. */
void thread_is_ours(void);

/* How many entries of ended threads are kept. Beyond that, new threads are merged with them. */
enum { THREAD_KEPT_MAX = 256 };

/* How many threads were merged with an ended one, ever. */
extern uint64_t thread_merged;

/* What is above is called: as a thread ends, mostly by itself and without the GIL; before its tree
 * is freed. NULL: nobody. Written once. */
extern void (*thread_leaves)(struct thread *thread);
extern void (*thread_tree_goes)(struct thread *thread);

/* Replace the trees by new ones, except those that somebody may look at: a tracer that holds their
 * slot, or their thread. Nothing is tracked now. */
void thread_renew(void);

/* From now on no tree is freed: a thread may look at its own at any time, without the GIL. */
void thread_keep_trees(void);

/* While a thread holds this lock, no tree is freed. Nobody waits for anything under it. Any thread,
 * no GIL needed. */
void thread_lock_trees(void);
void thread_unlock_trees(void);

/* Let the trees allocate at least `nodes` nodes more. 0: back to the default. */
void thread_allow(int64_t nodes);

/* True if thread__state has not fired yet for some thread. No GIL. */
bool thread_has_news(void);

/* Calls that share a node with others, or have none, for lack of memory or because they were too
 * deep. Any thread, no GIL. */
uint64_t thread_losses(void);

/* In the child of a fork: all entries but the running thread's have ended. */
void thread_postfork_child(void);

#endif
