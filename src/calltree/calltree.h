/* SPDX-License-Identifier: Apache-2.0
 *
 * The call tree of one thread: which calling contexts it went through, how often and for how long,
 * and where it is now.
 *
 *                       enter, exit                         read at any time
 *     the thread  ------------------>  struct calltree  <---------------------  recorder, tracers
 *       (owner)         stack of frames --> nodes (counters)
 *
 * Threads. The *owner* is the thread whose tree it is; its functions below are marked "owner". They
 * may also be called by another thread while the owner is kept from them: by the GIL, or after the
 * thread's end. What is marked "any thread" needs neither lock nor GIL and sees each counter as it
 * was at some moment. Nothing here blocks, and nothing needs Python.
 *
 * Memory. Nodes, functions and histograms are charged to a budget of bytes that trees share. When
 * it is spent, new contexts are charged to one "(others)" node and counted as lost; known ones go
 * on as before. All of a tree's memory lives, unmoved, until calltree_free.
 *
 * Time is in ticks that the caller passes as `now`, all from one clock. A step back counts as 0. A
 * caller that does not want times passes 0. A *segment* is what lies between an entry and the next
 * exit: a generator that is suspended spends no time.
 *
 * Healing. CPython does not report every exit (cpython #140373), tracers attach in the middle of a
 * deep stack, and greenlets interleave on a thread. An exit that does not match the top frame
 * closes the frames above the topmost one that it matches; an exit that matches none is ignored.
 * Both are counted, and cost no search: the stack never needs to be scanned.
 */
#ifndef PYUSDT_CALLTREE_CALLTREE_H
#define PYUSDT_CALLTREE_CALLTREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "calltree/calltree_types.h"
#include "calltree/code_record.h"

/* What a node costs out of the budget: a bound of N nodes is a budget of N times this. */
#define CALLTREE_NODE_BYTES 128

/* The deepest stack. Frames beyond it are not followed, and counted in too_deep. */
#define CALLTREE_MAX_DEPTH (1u << 20)

/* `depth_limit` is at most CALLTREE_MAX_DEPTH, 0 means that. `budget` is borrowed, outlives the
 * tree, and may be shared by trees of many threads. NULL when out of memory. */
struct calltree *calltree_new(_Atomic int64_t *budget, uint32_t depth_limit);

/* Frees the tree with all its nodes, unpins its code records, gives its bytes back to the budget.
 * NULL is fine. No thread, and no tracer through a slot, may use the tree or its nodes any more:
 * trees of threads that have ended are better kept, and used again for a new thread after
 * calltree_reset. */
void calltree_free(struct calltree *t);

/* The thread enters `code` (alive during the call, and pinned by the tree from then on). Owner.
 * Allocates at the first visit of a context, and when the stack is deeper than ever. */
void calltree_enter(struct calltree *t, struct code_record *code, uint64_t now,
                    enum calltree_kind kind);

/* The thread leaves `code`. 1 and fills `done` when it was entered; 0 and leaves `done` as it was
 * when no frame matches. `code` is alive. Owner. Allocates at most the first histogram of a
 * function. */
int calltree_exit(struct calltree *t, struct code_record *code, uint64_t now,
                  enum calltree_outcome outcome, struct calltree_done *done);

/* Makes the stack that of `codes` (borrowed, oldest first): frames that agree from the oldest on
 * stay, the others are closed as healed, the missing ones entered as `partial`, without being
 * counted as calls. For a thread that is seen for the first time, or doubted. Owner. */
void calltree_take_over(struct calltree *t, struct code_record *const codes[], uint32_t n,
                        uint64_t now);

/* Forgets all counters, histograms and frames; the slot points at "(thread)"; nodes stay valid. A
 * thread that reads meanwhile may see some of both. Owner. */
void calltree_reset(struct calltree *t);

/* The function `caller` calls the one in C of `code` (alive during the call; NULL: something else),
 * known by `key`, not NULL, until it returns. Closes functions in C on the top whose end CPython
 * did not report (cpython #130898). Owner. */
void calltree_call(struct calltree *t, const struct code_record *caller, struct code_record *code,
                   const void *key, uint64_t now);

/* Frames on the stack now. Owner. */
uint32_t calltree_depth(const struct calltree *t);

/* The counters of one context, without the segments that are still running. */
struct calltree_sample {
    const struct pyusdt_node *node;
    const struct code_record *code; /* NULL for "(thread)" and "(others)" */
    uint64_t calls;                 /* entries by START; 0 where it was only taken over */
    uint64_t resumes;               /* entries by RESUME and THROW */
    uint64_t errors;                /* exits by UNWIND */
    uint64_t elapsed;               /* ticks, children included */
    uint64_t self;                  /* ticks without children */
};

/* Calls `fn` for every node, parents before children, with node->index counting from 0, until it
 * returns other than 0, which is returned. The sample is valid during the call, node and code as
 * long as the tree. Counters of different nodes may be of slightly different moments. Any thread.
 */
typedef int (*calltree_visitor)(const struct calltree_sample *sample, void *arg);
int calltree_walk(struct calltree *t, calltree_visitor fn, void *arg);

/* The same for each frame on the stack, newest first: elapsed and self are those of its running
 * segment until `now`, and the counts are 0. Added to what calltree_walk reports they make up the
 * whole time. Owner. */
int calltree_walk_open(struct calltree *t, uint64_t now, calltree_visitor fn, void *arg);

/* The same for the durations of each function that was recorded: `counts` as in histogram.h, of
 * whole segments in ticks, valid during the call. Any thread. */
typedef int (*calltree_function_visitor)(const struct code_record *code,
                                         const uint32_t counts[HISTOGRAM_BUCKETS], void *arg);
int calltree_walk_functions(struct calltree *t, calltree_function_visitor fn, void *arg);

/* What went wrong since the last reset. */
struct calltree_losses {
    uint64_t lost;     /* entries charged to "(others)" for want of memory */
    uint64_t too_deep; /* entries not followed at all: beyond the depth limit, or no memory */
    uint64_t healed;   /* frames closed because their exit was never reported */
    uint64_t unknown;  /* exits of frames that were not on the stack */
    uint64_t untimed; /* segments of known contexts that are in no histogram, for the same reason */
};

/* Any thread. */
void calltree_losses(const struct calltree *t, struct calltree_losses *losses);

#endif
