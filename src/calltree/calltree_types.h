/* SPDX-License-Identifier: Apache-2.0
 *
 * What the call tree's functions take and return. Their contracts: calltree.h.
 */
#ifndef PYUSDT_CALLTREE_CALLTREE_TYPES_H
#define PYUSDT_CALLTREE_CALLTREE_TYPES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pyusdt_node.h"

struct code_record;

/* The beginning of a tree; the rest is private to calltree/ (tree.h). */
struct calltree {
    /* The slot: thread__state reports the address of this word to tracers (any thread; owner
     * writes). */
    _Atomic(const struct pyusdt_node *) current;
    /* Whether functions get histograms. Any thread may set it at any time. */
    atomic_bool record;
    /* thread.c's: whose tree it is, and what the thread is called. Not used here. */
    uint32_t tid;
    char name[64];
};

/* Bytes that are left to all trees that share it. */
struct calltree_budget {
    _Atomic int64_t contexts; /* for nodes and their tables */
    _Atomic int64_t functions;
    _Atomic int64_t histograms;
    _Atomic int64_t lines;
    _Atomic int64_t scarce; /* with less than this for contexts, recursions are folded at once */
};

enum calltree_kind { CALLTREE_START, CALLTREE_RESUME, CALLTREE_THROW };

/* As in the argument `outcome` of function__done. */
enum calltree_outcome { CALLTREE_RETURN, CALLTREE_YIELD, CALLTREE_UNWIND };

/* What a histogram is of: single segments, or, of what has been suspended, all from its first entry
 * to its end. */
enum calltree_duration { CALLTREE_RUNNING, CALLTREE_LATENCY };

/* What is counted by line, where a function's record has lines. A line begins where LINE fires, and
 * lasts until the next one of its frame, or the frame's exit. Its ticks with all that it called are
 * those of its executions within no other one of the same line: recursion counts once. */
struct calltree_line {
    const struct code_record *code; /* never NULL */
    int32_t line;
    uint64_t hits;        /* how often it began */
    uint64_t errors;      /* exceptions raised at it, or that came out of what it called */
    uint64_t total, self; /* ticks: with all that it called; without what is a context of its own */
};
typedef int (*calltree_line_visitor)(const struct calltree_line *line, void *arg);

struct calltree_done {
    uint64_t elapsed; /* ticks of this segment */
    uint64_t self;    /* of them, those not spent in calls from here */
    uint32_t depth;   /* 1 for the outermost frame */
    bool partial;     /* it began before we did: the ticks count from calltree_take_over */
};

#endif
