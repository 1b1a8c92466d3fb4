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
#include <stdint.h>

#include "base/histogram.h"
#include "calltree/code_record.h"
#include "pyusdt_node.h"

/* An entry of the table of nodes and functions. Keys: see nodes.c. */
struct link {
    struct link *next;
    uint64_t key;
};

struct function {
    struct link link;
    struct function *next;                 /* older; immutable */
    struct code_record *code;              /* borrowed, pinned */
    _Atomic(struct histogram *) histogram; /* owned; NULL until the first recorded duration */
    uint32_t last; /* owner's: place on the stack of the topmost frame that runs it, 0: none */
};

/* Two cache lines: what tracers and lookups read, what every enter and exit touches. */
struct node {
    _Alignas(64) struct pyusdt_node public;
    struct link link;

    struct code_record *code;  /* NULL for "(thread)" and "(others)" */
    struct function *function; /* NULL for "(thread)" */
    struct node *hot;          /* owner's: the child entered last, or the root: never NULL */
    _Atomic uint64_t calls, resumes, errors, elapsed, self;
};
_Static_assert(sizeof(struct node) == 128, "two cache lines");

struct chunk; /* of nodes */

#define NODES_FIRST_BUCKETS_LOG2 6

struct nodes {
    struct node root;
    struct node others;           /* for contexts that there was no memory for */
    struct function others_codes; /* of `others`: any code, so its record is NULL */

    struct link *first_buckets[1 << NODES_FIRST_BUCKETS_LOG2];
    struct link **buckets; /* owner's; owned; a power of two of them */
    uint32_t shift;        /* 64 - log2(buckets) */
    uint32_t links;        /* nodes and functions in the table */

    _Atomic(struct chunk *) chunks;       /* oldest first; owned */
    struct chunk *newest;                 /* owner's */
    _Atomic(struct function *) functions; /* newest first; owned */
    uint32_t next_index;
    _Atomic int64_t *budget; /* borrowed: bytes left to all who share it */
    int64_t spent;           /* bytes that we took out of it */
};

/* Cannot fail: the two nodes that always exist and a first table are part of `n`. */
void nodes_init(struct nodes *n, _Atomic int64_t *budget);

/* Frees all, unpins the records, gives the bytes back. Nobody may use `n` any more. */
void nodes_clear(struct nodes *n);

/* The child of `parent` for `code`, made at the first visit. NULL when there was neither budget nor
 * memory, and for any child of `others`. Lives as long as `n`. Owner only. */
struct node *nodes_visit(struct nodes *n, struct node *parent, struct code_record *code);

/* NULL when no node of `code` was ever made here. Owner only. */
struct function *nodes_function(struct nodes *n, const struct code_record *code);

/* Makes the histogram of `f` if it is missing; NULL when there was no memory for it. Owner only. */
struct histogram *nodes_histogram(struct nodes *n, struct function *f);

/* Calls `fn` for each published node, parents before their children, until it returns other than
 * 0, which is returned. Any thread. */
int nodes_walk(struct nodes *n, int (*fn)(struct node *, void *), void *arg);

#endif
