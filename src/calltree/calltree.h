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
 * Memory. Contexts, functions and histograms are charged to budgets of bytes that trees share. All
 * of a tree's memory lives, unmoved, until calltree_free, but for histograms that have become too
 * small.
 *
 * Contexts are what a program may have any number of, so only they are given up, and what is known
 * by function stays exact. A recursion is *folded*: deep inside, a call is charged to the nearest
 * context of its function that it is in, rather than to a new one. When the budget is spent, a new
 * context is *given up*: the calls in it, and in all below it, are counted by function alone, and
 * their time by the context that they began in. Known contexts go on as before.
 *
 * Time is in ticks that the caller passes as `now`, all from one clock. A step back counts as 0. A
 * caller that does not want times passes 0. A *segment* is what lies between an entry and the next
 * exit: a generator that is suspended spends no time.
 *
 * Healing. CPython does not report every exit (cpython #140373), tracers attach in the middle of a
 * deep stack, and stacks other than greenlets' may take turns on a thread. An exit that does not
 * match the top frame closes the frames above the topmost one that it matches; an exit that matches
 * none is ignored. Both are counted, and cost no search: the stack never needs to be scanned.
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

/* The bytes of a budget in which so many contexts of one tree fit. */
int64_t calltree_bytes(uint64_t contexts);

/* The deepest stack. Frames beyond it are not followed, and counted in too_deep. */
#define CALLTREE_MAX_DEPTH (1u << 20)

/* `depth_limit` is at most CALLTREE_MAX_DEPTH, 0 means that. `budget` is borrowed, outlives the
 * tree, and may be shared by trees of many threads. NULL when out of memory. */
struct calltree *calltree_new(struct calltree_budget *budget, uint32_t depth_limit);

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
 * when no frame matches. `code` is alive. Owner. Allocates at most a histogram of the function, its
 * first or a larger one. */
int calltree_exit(struct calltree *t, struct code_record *code, uint64_t now,
                  enum calltree_outcome outcome, struct calltree_done *done);

/* Latency: a frame that is suspended is left, and entered by another one when it is resumed; who
 * knows that both are one carries its first entry over. Owner. */

/* When the top frame was entered, if it runs `code` and began there; 0: it was resumed, or did not
 * begin before us. */
uint64_t calltree_first_entry(const struct calltree *t, const struct code_record *code);

/* The top frame, if it runs `code`, was entered first at `began`; 0: not known. */
void calltree_resumed(struct calltree *t, const struct code_record *code, uint64_t began);

/* The top frame is about to be left for good: whether it runs `code` and had been resumed. Then
 * `latency` is the ticks since its first entry, or 0 where that is not known; where functions get
 * histograms it is counted. Allocates as calltree_exit(). */
bool calltree_ends(struct calltree *t, const struct code_record *code, uint64_t now,
                   uint64_t *latency);

/* Makes the stack that of `codes` (borrowed, oldest first): frames that agree from the oldest on
 * stay, the others are closed as healed, the missing ones entered as `partial`, without being
 * counted as calls. For a thread that is seen for the first time, or doubted. Owner. */
void calltree_take_over(struct calltree *t, struct code_record *const codes[], uint32_t n,
                        uint64_t now);

/* Another stack has its turn on the thread: that of `codes` (borrowed, oldest first). All frames
 * are closed as if they yielded, and those of `codes` are entered as if they resumed. Owner. */
void calltree_switch(struct calltree *t, struct code_record *const codes[], uint32_t n,
                     uint64_t now);

/* The segments of all frames end at `now`, and others begin at `start`, or without a time if that
 * is 0: they are partial. Owner, or who keeps it from running. */
void calltree_restart(struct calltree *t, uint64_t now, uint64_t start);

/* Forgets all counters, histograms and frames; the slot points at "(thread)"; nodes stay valid. A
 * thread that reads meanwhile may see some of both. Owner. */
void calltree_reset(struct calltree *t);

/* The function `caller`, known by `by`, calls the one in C of `code` (alive during the call; NULL:
 * something else), known by `key` until it returns; neither is NULL. Closes functions in C on the
 * top whose end CPython did not report (cpython #130898). Owner. */
void calltree_call(struct calltree *t, const struct code_record *caller, const void *by,
                   struct code_record *code, const void *key, uint64_t now);

/* The function `code`, known by `key` from now on, comes to `line`; with `goes_on` it has been at
 * it before it was suspended, which is no hit. `now` is 0 without times. Frames above it are closed
 * as healed; where it is not on the stack, nothing happens. Owner. Allocates at the first line of
 * the function. */
void calltree_line(struct calltree *t, const struct code_record *code, const void *key,
                   int32_t line, uint64_t now, bool goes_on);

/* In the function `code`, at its line, an exception is raised, or comes out of what it called.
 * Without effect where it has no line. Owner. */
void calltree_error(struct calltree *t, const struct code_record *code, const void *key,
                    uint64_t now);

/* Whether a frame of `code` is on the stack. Owner. */
bool calltree_runs(struct calltree *t, const struct code_record *code);

/* Frames on the stack now. Owner. */
uint32_t calltree_depth(const struct calltree *t);

/* The counters of one context, without the segments that are still running. Its ticks with all that
 * it called are self and others, and the same of the contexts below it: recursion counts once. */
struct calltree_sample {
    const struct pyusdt_node *node;
    const struct code_record *code; /* NULL for "(thread)" and "(others)" */
    uint64_t calls;                 /* entries by START; 0 where it was only taken over */
    uint64_t resumes;               /* entries by RESUME and THROW */
    uint64_t errors;                /* exits by UNWIND */
    uint64_t self;                  /* ticks without calls */
    uint64_t others;                /* ticks in calls from here whose contexts were given up */
};

/* The counters of `node`, one of a tree that has not been freed. Any thread. */
void calltree_read(const struct pyusdt_node *node, struct calltree_sample *sample);

/* The function of `node`, one of a tree that has not been freed: known where the context is given
 * up, too. NULL for "(thread)", and for all those that there was no memory for. Any thread. */
const struct code_record *calltree_function(const struct pyusdt_node *node);

/* Calls `fn` for every node, parents before children, with node->index counting from 0, until it
 * returns other than 0, which is returned. The sample is valid during the call, node and code as
 * long as the tree. Counters of different nodes may be of slightly different moments. "(others)",
 * number 1, has none: its place is what a tracer sees. Any thread. */
typedef int (*calltree_visitor)(const struct calltree_sample *sample, void *arg);
int calltree_walk(struct calltree *t, calltree_visitor fn, void *arg);

/* The running segment of a frame. */
struct function;
struct calltree_open {
    const struct pyusdt_node *node;  /* NULL: its context is given up */
    const struct function *function; /* NULL: "(thread)" */
    uint64_t elapsed;                /* ticks, with all that it called */
    uint64_t self, others;           /* as of a context; not others where there is no node */
    bool lowest;                     /* there is no frame of the same function below */
};

/* Calls `fn` for each frame on the stack, newest first, and "(thread)", with what is to be added to
 * what calltree_walk and calltree_walk_functions report, until it returns other than 0, which is
 * returned. Owner. */
typedef int (*calltree_open_visitor)(const struct calltree_open *open, void *arg);
int calltree_walk_open(struct calltree *t, uint64_t now, calltree_open_visitor fn, void *arg);

/* What is counted by function. The rest is in its contexts. */
struct calltree_total {
    const struct code_record *code;        /* NULL: all those that there was no memory for */
    uint64_t calls, resumes, errors, self; /* only in contexts that were given up */
    uint64_t
        primitive_calls; /* calls from outside the function, at any distance, in all contexts */
    uint64_t total;      /* ticks with all that it called, in all contexts; recursion counts once */
};

/* Calls `fn` for each function that was ever entered, until it returns other than 0, which is
 * returned. A function lives as long as the tree. Any thread. */
typedef int (*calltree_function_visitor)(const struct function *function, void *arg);
int calltree_walk_functions(struct calltree *t, calltree_function_visitor fn, void *arg);
void calltree_read_function(const struct function *function, struct calltree_total *total);

/* Calls `fn` for the durations of its whole segments, or its latencies, in ticks, as
 * histogram_walk() does. To be called by a visitor of calltree_walk_functions(). */
int calltree_walk_histogram(const struct function *function, enum calltree_duration of,
                            histogram_visitor fn, void *arg);

/* Calls `fn` for each line of a function that was hit or has ticks, without what is still running,
 * until it returns other than 0, which is returned. Any thread. */
int calltree_walk_lines(struct calltree *t, calltree_line_visitor fn, void *arg);

/* The same of the function of `node` alone. */
int calltree_walk_lines_of(const struct pyusdt_node *node, calltree_line_visitor fn, void *arg);

/* Calls `fn` for the line of each frame on the stack that has one, newest first, with the ticks
 * that are to be added to what calltree_walk_lines reports; hits and errors are 0. Owner. */
int calltree_walk_open_lines(struct calltree *t, uint64_t now, calltree_line_visitor fn, void *arg);

/* What went wrong since the last reset. */
struct calltree_losses {
    uint64_t lost;     /* entries whose context was given up */
    uint64_t folded;   /* entries in a context that is folded: no loss of calls */
    uint64_t too_deep; /* entries not followed at all: beyond the depth limit, or no memory */
    uint64_t healed;   /* frames closed because their exit was never reported */
    uint64_t unknown;  /* exits of frames that were not on the stack */
    uint64_t unlined;  /* lines that began and are not counted: no memory for their function's */
    uint64_t untimed; /* segments of known contexts that are in no histogram, for the same reason */
};

/* Any thread. */
void calltree_losses(const struct calltree *t, struct calltree_losses *losses);

#endif
