/* SPDX-License-Identifier: Apache-2.0
 *
 * What a call tree is made of: its nodes, one for each calling context, and its functions, one for
 * each code record that runs in it. nodes.c makes them; the call
 * tree counts in them, by tree.h's hot path.
 *
 * Private to: calltree
 *
 * One thread, the owner, makes and changes; any thread may read nodes and functions through the
 * lists at any time: an object is filled, then published by a store-release, and from then on only
 * its counters change, by relaxed stores of a single writer.
 */
#ifndef PYUSDT_CALLTREE_NODES_H
#define PYUSDT_CALLTREE_NODES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "calltree/budget.h"
#include "calltree/calltree_types.h"
#include "calltree/code_record.h"
#include "calltree/lines.h"
#include "pyusdt_node.h"

/* An entry of a table. Keys: see nodes.c. */
struct link {
    struct link *next;
    uint64_t key;
};

struct node;

/* Two cache lines: what every enter and exit touches, and the rest. What is in its nodes is not
 * counted here again. */
struct function {
    _Alignas(64) uint32_t last;    /* owner's: place on the stack of its topmost frame, 0: none */
    _Atomic(struct lines *) lines; /* owned but for lines_none; never NULL */
    _Atomic(struct histogram *) histogram; /* owned; NULL until the first recorded duration */
    _Atomic(struct node *) others;         /* owned; for its calls in contexts that were given up */
    _Atomic uint64_t primitive_calls;      /* entries by START without a lower frame of it */
    _Atomic uint64_t total;                /* ticks of frames without a lower one */

    _Alignas(64) struct link link;
    struct function *next;               /* older; immutable */
    struct code_record *code;            /* borrowed, pinned; NULL in nodes.nameless */
    _Atomic(struct histogram *) latency; /* owned; NULL until something suspended has ended */
};
_Static_assert(sizeof(struct function) == 128, "two cache lines");

/* Two cache lines: what tracers and lookups read, what every enter and exit touches. */
struct node {
    _Alignas(64) struct pyusdt_node public;
    struct link link;

    struct function *function; /* NULL for "(thread)" */
    struct node *hot; /* owner's: the one entered last from here, or the root: never NULL */
    _Atomic uint64_t calls, resumes, errors;
    _Atomic uint64_t self, others; /* ticks: without calls; in calls whose context is given up */
};
_Static_assert(sizeof(struct node) == 128, "two cache lines");

struct chunk; /* of nodes */

#define NODES_FIRST_BUCKETS_LOG2 6

enum nodes_memory {
    NODES_OF_CONTEXTS,
    NODES_OF_FUNCTIONS,
    NODES_OF_HISTOGRAMS,
    NODES_OF_LINES,
    NODES_MEMORIES
};

/* Owner's. */
struct table {
    struct link *first_buckets[1 << NODES_FIRST_BUCKETS_LOG2];
    struct link **buckets;    /* owned; a power of two of them */
    uint32_t shift;           /* 64 - log2(buckets) */
    uint32_t links;           /* what is in it */
    enum nodes_memory memory; /* what it is charged to */
};

struct nodes {
    struct node root;
    struct node others;       /* for functions that there was no memory for, in any context */
    struct function nameless; /* of `others`: any code, so its record is NULL */
    struct table contexts, by_code;

    _Atomic(struct chunk *) chunks;       /* oldest first; owned */
    struct chunk *newest;                 /* owner's */
    _Atomic(struct function *) functions; /* newest first; owned */
    _Atomic uint32_t readers;             /* of histograms, see nodes_read() */
    uint32_t next_index;
    struct calltree_budget *budget; /* borrowed */
    int64_t spent[NODES_MEMORIES];  /* bytes that we took out of it */
};

/* The key of a context: of what called it, and its function. */
static inline uint64_t nodes_key(const struct node *parent, uint32_t id) {
    return (uint64_t)parent->public.index << 32 | id;
}

/* Fibonacci hashing: the high bits of the product depend on every bit of the key. */
static inline struct link **nodes_bucket(const struct table *t, uint64_t key) {
    return &t->buckets[(key * 0x9E3779B97F4A7C15u) >> t->shift];
}

/* The context of the code record `id` called from `parent`, if it is the first of its bucket, as
 * most are; NULL: nodes_visit() knows. */
static inline struct node *nodes_peek(const struct nodes *n, const struct node *parent,
                                      uint32_t id) {
    uint64_t key = nodes_key(parent, id);
    struct link *link = *nodes_bucket(&n->contexts, key);

    return link && link->key == key ? (struct node *)((char *)link - offsetof(struct node, link))
                                    : NULL;
}

/* The record of a context's function; NULL for "(thread)" and "(others)". */
static inline struct code_record *node_code(const struct node *node) {
    return node->function && node->public.id == node->function->link.key ? node->function->code
                                                                         : NULL;
}

/* A context of "(others)", the shared one or that of a function: nothing below it is known. */
static inline bool node_is_given_up(const struct node *node) {
    return node->function &&
           atomic_load_explicit(&node->function->others, memory_order_relaxed) == node;
}

/* What memory of this kind is charged to; nodes_clear() gives it back. */
struct budget nodes_budget(struct nodes *n, enum nodes_memory of);

/* See calltree_bytes(). */
int64_t nodes_bytes(uint64_t contexts);

/* Cannot fail: the two nodes that always exist and a first table are part of `n`. */
void nodes_init(struct nodes *n, struct calltree_budget *budget);

/* Frees all, unpins the records, gives the bytes back. Nobody may use `n` any more. */
void nodes_clear(struct nodes *n);

/* The context of `code` called from `parent`: its child, made at the first visit; the nearest one
 * of `code` that `parent` is in, where a recursion is folded; or, when there was neither budget nor
 * memory, and below a context that is given up, one that is. Never NULL. Lives as long as `n`.
 * Owner only. */
struct node *nodes_visit(struct nodes *n, struct node *parent, struct code_record *code);

/* NULL when no node of `code` was ever made here. Owner only. */
struct function *nodes_function(struct nodes *n, const struct code_record *code);

/* Makes the first histogram of a function at `place`, or a larger one in its place; NULL when there
 * was no memory for it. The old one is freed at once, or if somebody reads histograms, the next
 * time that a function gets a larger one. Owner only. */
struct histogram *nodes_grow_histogram(struct nodes *n, _Atomic(struct histogram *) *place);

/* Between these two the histograms that functions have are not freed. Any thread. */
static inline void nodes_read(struct nodes *n) {
    atomic_fetch_add(&n->readers, 1);
}

static inline void nodes_read_no_more(struct nodes *n) {
    atomic_fetch_sub(&n->readers, 1);
}

/* Calls `fn` for each published node, parents before their children, until it returns other than
 * 0, which is returned. Any thread. */
int nodes_walk(struct nodes *n, int (*fn)(struct node *, void *), void *arg);

#endif
