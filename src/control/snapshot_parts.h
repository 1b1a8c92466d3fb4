/* SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot while it is made: what its two steps share.
 *
 * One thread at a time; the first step has the GIL unless it is blind.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_SNAPSHOT_PARTS_H
#define PYUSDT_CONTROL_SNAPSHOT_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calltree/calltree.h"
#include "capture/thread.h"
#include "control/rows.h"
#include "control/shadow.h"
#include "pyusdt_counts.h"

/* What a function does in known contexts; by id of code. */
struct sum {
    uint64_t calls, resumes, errors, self;
};

/* The function whose lines are read. */
struct lined {
    const struct code_record *code; /* borrowed; NULL: none yet */
    size_t first;                   /* byte of its first row in `lines` */
    uint64_t signature;
};

/* A thread, as it was in the first step. */
struct reading {
    const struct thread *thread;
    struct calltree *tree; /* borrowed */
    struct pyusdt_counts_thread row;
    uint64_t spent; /* ticks until the moment of the snapshot, or until it ended */
    bool ended;
    size_t first_open, n_open;   /* its rows in `open` */
    size_t first_total, n_total; /* and in `open_totals` */
    size_t first_line, n_line;   /* and in `open_lines` */
};

struct snapshot {
    struct pyusdt_counts head;
    struct rows losses, threads, nodes, totals, durations, charges, lines, memory, resident, living,
        points, growth, functions, steps, step_memory, names, texts;
    struct rows readings;    /* struct reading */
    struct rows open;        /* struct pyusdt_counts_node: on a stack, running segments included */
    struct rows open_totals; /* struct pyusdt_counts_total: the same, without known contexts */
    struct rows open_lines;  /* struct pyusdt_counts_line: those that frames stand at */
    struct shadow *shadow;   /* borrowed; never NULL */
    struct shadow *own;      /* owned: of a whole snapshot */
    const atomic_bool *stop;
    struct calltree_losses lost;
    uint64_t n_steps_lost, n_living_lost;

    /* Of the thread that is being read. */
    struct reading *reading;
    struct shadow_thread *known;
    struct bits is_open, is_open_total; /* by index of node, by id of code; owned */
    size_t first;                       /* byte in nodes of this thread's first row, the root's */
    struct sum *sums;                   /* owned */
    size_t n_sums;
    struct lined lined;
    bool bootstrap; /* all that this thread did was in Thread._bootstrap */
};

/* Rows. Without memory the place of a text is meaningless, and the whole snapshot fails. */
uint32_t snapshot_text(struct snapshot *s, const char *text);
/* NULL: "(others)". -1: no memory. */
int snapshot_function(struct snapshot *s, const struct code_record *code);
/* Of s->reading. Elapsed is without the children. */
struct pyusdt_counts_node snapshot_node(const struct snapshot *s,
                                        const struct calltree_sample *sample);
struct pyusdt_counts_total snapshot_total(const struct snapshot *s,
                                          const struct calltree_total *total);
struct pyusdt_counts_line snapshot_line(const struct snapshot *s, const struct calltree_line *line);
/* The row of the same line among those that frames of s->reading stand at, or NULL. */
struct pyusdt_counts_line *snapshot_open_line(const struct snapshot *s,
                                              const struct calltree_line *line);
/* A function's number in a set. "(others)" has no code, and 0 is nobody's id. */
size_t snapshot_bit(const struct code_record *code);

/* First step, for one thread; `snapshot` is a struct snapshot. The second one leaves stacks out. */
void snapshot_read_stack(struct thread *thread, void *snapshot);
void snapshot_read_no_stack(struct thread *thread, void *snapshot);

/* Second step, before the nodes are read: what is counted of contexts is then of some that are
 * there. False: no memory. */
bool snapshot_read_memory(struct snapshot *s);

/* The same for what lives and since when, and for what has grown: only at an end. */
bool snapshot_read_living(struct snapshot *s);
bool snapshot_read_growth(struct snapshot *s);

/* A place of the account, by its number. 0: there is none; -1: no memory. */
struct memory_place {
    uint32_t serial, index, function;
    int32_t line;
};
int snapshot_memory_place(struct snapshot *s, uint32_t number, struct memory_place *place);

/* Second step, for s->reading. False: no memory, or stopped. */
bool snapshot_read_tree(struct snapshot *s);

#endif
