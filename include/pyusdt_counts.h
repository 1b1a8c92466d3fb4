/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of the recorder's counts: inside the process they are handed over as bytes, and to
 * other processes through memory (pyusdt_control.h). The machine's own byte order, no padding:
 *
 *     pyusdt_counts | losses | threads | nodes | buckets | functions | steps | names | texts
 *
 * A text is a place in `texts`, NUL-terminated UTF-8. Everything is counted since tracking began,
 * running frames included. Times are in ticks, so that two snapshots can be subtracted. While
 * something records, a thread keeps its serial, a node its index, and a step its place. Another
 * layout is another PYUSDT_CONTROL_VERSION.
 */
#ifndef PYUSDT_COUNTS_LAYOUT_H
#define PYUSDT_COUNTS_LAYOUT_H

#include <stdint.h>

struct pyusdt_counts {
    double ns_per_tick;
    uint64_t now;    /* ticks */
    uint64_t now_ns; /* the same on CLOCK_MONOTONIC */
    uint32_t n_losses;
    uint32_t n_threads;
    uint32_t n_nodes;
    uint32_t n_buckets;
    uint32_t n_functions;
    uint32_t n_steps;
    uint32_t n_names;
    uint32_t text_size;
};

struct pyusdt_counts_loss {
    uint32_t name; /* text */
    uint32_t reserved;
    uint64_t count;
};

struct pyusdt_counts_thread {
    uint32_t serial;
    uint32_t tid;
    uint64_t ident; /* 0 when it has ended */
    uint64_t elapsed;
    uint32_t name; /* text */
    uint32_t reserved;
};

/* Parents come before their children. */
struct pyusdt_counts_node {
    uint32_t serial;
    uint32_t index;
    int32_t parent; /* an index, or -1 */
    uint32_t function;
    uint64_t calls, resumes, errors, elapsed, self;
};

/* Buckets as in pyusdt/recording/histogram.py. */
struct pyusdt_counts_bucket {
    uint32_t serial;
    uint32_t function;
    uint32_t bucket;
    uint32_t count;
};

/* Each function that a node names, once. */
struct pyusdt_counts_function {
    uint32_t id;
    int32_t line;
    uint32_t module, qualname, name, file; /* texts */
};

enum {
    PYUSDT_STEP,         /* value is the elapsed ticks */
    PYUSDT_MARK,         /* there is no value */
    PYUSDT_MARK_INTEGER, /* value is an int64_t */
    PYUSDT_MARK_REAL,    /* value is a double */
    PYUSDT_MARK_TEXT,    /* value is a text */
};

/* In the order of their ends. `name` is a place in names, each of which is a text. */
struct pyusdt_counts_step {
    uint64_t start; /* ticks */
    uint64_t value;
    uint64_t ident; /* of the thread in which it ended */
    uint32_t name;
    uint32_t kind; /* PYUSDT_STEP, PYUSDT_MARK_* */
};

#ifdef __cplusplus
#define PYUSDT_ASSERT static_assert
#else
#define PYUSDT_ASSERT _Static_assert
#endif
PYUSDT_ASSERT(sizeof(struct pyusdt_counts) == 56, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_loss) == 16, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_thread) == 32, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_node) == 56, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_bucket) == 16, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_function) == 24, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_step) == 32, "others read it");
#undef PYUSDT_ASSERT

#endif
