/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of the recorder's counts: inside the process they are handed over as bytes, and to
 * other processes through memory (pyusdt_control.h). The machine's own byte order, no padding:
 *
 *     pyusdt_counts | losses | threads | nodes | totals | durations | charges | lines | memory |
 *     resident | living | points | growth | functions | steps | step memory | names | texts
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
    uint32_t n_totals;
    uint32_t n_durations;
    uint32_t n_charges;
    uint32_t n_functions;
    uint32_t n_steps;
    uint32_t n_names;
    uint32_t text_size;
    uint32_t flags; /* PYUSDT_COUNTS_* */
    uint32_t n_lines;
    uint32_t n_memory;
    uint32_t n_resident;
    uint32_t n_living;
    uint32_t n_points;
    uint32_t n_growth;
    uint32_t n_step_memory;
};

enum {
    PYUSDT_COUNTS_SAMPLED = 1,         /* a sampler charged: CPU and waits are known */
    PYUSDT_COUNTS_TIMES_SAMPLED = 2,   /* no clock was read at calls: all other times are 0 */
    PYUSDT_COUNTS_MEMORY = 4,          /* what Python's allocators handed out is known */
    PYUSDT_COUNTS_MEMORY_NATIVE = 8,   /* and native memory */
    PYUSDT_COUNTS_MEMORY_SAMPLED = 16, /* by samples */
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

/* Parents come before their children. What elapsed has beyond self and the children's elapsed was
 * spent in calls whose contexts were given up. A context that a recursion was folded into has the
 * calls and the own time of all its rounds. */
struct pyusdt_counts_node {
    uint32_t serial;
    uint32_t index;
    int32_t parent; /* an index, or -1 */
    uint32_t function;
    uint64_t calls, resumes, errors, elapsed, self;
};

/* Of each function that a thread has run, whatever became of its contexts. Recursion counts once in
 * primitive_calls (those from outside the function) and total. */
struct pyusdt_counts_total {
    uint32_t serial;
    uint32_t function;
    uint64_t calls, primitive_calls, resumes, errors, total, self;
};

enum { PYUSDT_RUNNING, PYUSDT_LATENCY };

/* How many runs of a function took so long, each from an entry to the next exit, or, of what has
 * been suspended, from its first entry to its end. The shortest and the longest one are as they
 * were; the others are put together to a few durations, from which they differ by at most 1.1%:
 * those of src/base/histogram.h, the same ones in each snapshot. */
struct pyusdt_counts_duration {
    uint32_t serial;
    uint32_t function;
    uint64_t ticks;
    uint64_t count;
    uint32_t kind; /* PYUSDT_RUNNING, PYUSDT_LATENCY */
    uint32_t reserved;
};

/* What a charge is of. */
enum {
    PYUSDT_CHARGE_USER, /* CPU time, as the kernel divides it */
    PYUSDT_CHARGE_SYSTEM,
    PYUSDT_CHARGE_GIL,      /* waits: for the interpreter's own lock */
    PYUSDT_CHARGE_LOCK,     /* for other locks */
    PYUSDT_CHARGE_SLEEP,    /* for a time to come */
    PYUSDT_CHARGE_POLL,     /* for the first of some descriptors */
    PYUSDT_CHARGE_NET,      /* for a socket, a pipe or a terminal */
    PYUSDT_CHARGE_DISK,     /* for a file */
    PYUSDT_CHARGE_CHILD,    /* for the end of a process */
    PYUSDT_CHARGE_RUNNABLE, /* for a CPU */
    PYUSDT_CHARGE_OTHER,    /* in another system call */
    PYUSDT_CHARGES
};

#define PYUSDT_CHARGE_NO_NODE UINT32_MAX

/* What the sampler has charged to a context or, where that is given up, to a function. Of one
 * thread, those of CPU time sum to what its CPU clock says. */
struct pyusdt_counts_charge {
    uint32_t serial;
    uint32_t index;    /* of the node, or PYUSDT_CHARGE_NO_NODE */
    uint32_t function; /* of the node; PYUSDT_ID_THREAD for "(thread)" */
    uint16_t kind;     /* PYUSDT_CHARGE_* */
    uint16_t reserved;
    uint32_t syscall; /* its number, for PYUSDT_CHARGE_OTHER */
    uint32_t samples; /* looks that it rests on */
    uint64_t ns;
    int32_t line; /* of the function, that it stood at; 0: none is known */
    uint32_t reserved2;
};

/* A line of a function whose lines are recorded, in a thread, whatever became of its contexts. Of a
 * snapshot that has one line of a function in a thread, it has all those that were ever hit.
 * Recursion counts once in total. */
struct pyusdt_counts_line {
    uint32_t serial;
    uint32_t function;
    int32_t line;
    uint32_t reserved;
    uint64_t hits, errors, total, self;
};

/* What was allocated in a context or, where that is given up, in a function, while the program
 * stood at a line. Blocks that were there before are in no figure, nor are their frees. A block
 * belongs to what allocated it, whoever frees it. */
struct pyusdt_counts_memory {
    uint32_t serial;   /* 0: of no thread that has a call tree */
    uint32_t index;    /* of the node, or PYUSDT_CHARGE_NO_NODE */
    uint32_t function; /* of the node; PYUSDT_ID_THREAD for "(thread)" */
    int32_t line; /* of the function, or, where that is in C, of what called it; 0: not known */
    uint64_t allocated_bytes, allocated_blocks;
    uint64_t freed_bytes, freed_blocks;
    uint64_t temporary_bytes, temporary_blocks; /* of those: by the call that had allocated
                                                   them, or as it ended */
    uint64_t peak_bytes, peak_blocks; /* alive when the whole process had the most alive */
    uint64_t biggest;                 /* block, in bytes */
};

/* What the process had in RAM at a moment, in bytes. */
struct pyusdt_counts_resident {
    uint64_t at_ns; /* CLOCK_MONOTONIC */
    uint64_t rss;
    uint64_t swap; /* of a while ago */
    uint64_t peak; /* of rss, since the process began: others' moments too */
};

/* What lives of what such a place has allocated, and since when. Only at the end of a recording,
 * and of a snapshot of its own; so are the next two. */
struct pyusdt_counts_living {
    uint32_t serial, index, function; /* as those of memory */
    int32_t line;
    uint64_t since; /* ticks: the beginning of a period, which ends with the next that has a row;
                     * 0: before all marks and steps */
    uint64_t bytes, blocks;
};

/* The end of a step that comes again and again, at which it was looked what is alive. Those of one
 * name follow one another. */
struct pyusdt_counts_point {
    uint64_t iteration; /* of the ends of that name, from 1 */
    uint64_t bytes;     /* alive, in all places */
    uint32_t name;      /* a place in names */
    uint32_t changing;  /* places of which not as much is alive at all points of the name */
};

/* What was alive of a place at a point: only of those that have grown the most, and then of all
 * points of the name. */
struct pyusdt_counts_growth {
    uint32_t serial, index, function; /* as those of memory */
    int32_t line;
    uint32_t point; /* 0, 1, 2 ... of all points */
    uint32_t reserved;
    uint64_t bytes;
};

/* Each function that a node, a total, a charge, a line or memory names, once. */
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

/* The memory of a step, where it is known, in bytes, of all threads. */
struct pyusdt_counts_step_memory {
    uint64_t step;               /* 0, 1, 2 ... of all steps and marks since the recorder began */
    uint64_t rss_start, rss_end; /* in RAM, or a moment before */
    uint64_t allocated, freed;   /* within */
    uint64_t peak;               /* the most that was alive within; UINT64_MAX: not known */
};

#ifdef __cplusplus
#define PYUSDT_ASSERT static_assert
#else
#define PYUSDT_ASSERT _Static_assert
#endif
PYUSDT_ASSERT(sizeof(struct pyusdt_counts) == 96, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_loss) == 16, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_thread) == 32, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_node) == 56, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_total) == 56, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_duration) == 32, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_charge) == 40, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_line) == 48, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_memory) == 88, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_resident) == 32, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_function) == 24, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_step) == 32, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_living) == 40, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_point) == 24, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_growth) == 32, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_counts_step_memory) == 48, "others read it");
#undef PYUSDT_ASSERT

#endif
