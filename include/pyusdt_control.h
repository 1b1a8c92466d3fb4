/* SPDX-License-Identifier: Apache-2.0
 *
 * Live control: the layout of `pyusdt_control`, a symbol that the library exports. A user who may
 * trace a process may read and write it, through /proc/PID/mem.
 *
 *     outside    request:  sequence odd --> fields, actions, settings --> sequence even
 *     watcher    sees a new even sequence at its next tick, checks all, applies all or nothing,
 *                status:   sequence odd --> acknowledged = request.sequence, error, ... --> even
 *
 * A reader copies the struct, and copies again unless status.sequence was the same even number
 * before and after. Writers take turns by flock() on /proc/PID/mem. The process itself reads back
 * only the request, and trusts none of it: an invalid one is refused, with the reason in the
 * status.
 *
 * To record, a process outside requests PYUSDT_RECORD_START, and PYUSDT_RECORD_COUNTS at the
 * beginning and at the end: the difference is the recording. The counts (pyusdt_counts.h) lie in
 * the recorded process's memory until the next request with an action. After copying them, the
 * other process must read `record` once more, and discard the copy if it has changed. A recording
 * ends by itself without such a request for lease_msec: the other process may be gone. The child of
 * a fork goes on with a lease of its own and counts of its own, from 0; no start is requested
 * there.
 *
 * Texts are NUL-terminated UTF-8. Numbers are in the machine's own byte order. Any change of the
 * layout or of a meaning is another PYUSDT_CONTROL_VERSION: a newer one begins with what the one
 * before it was.
 *
 *     1   first
 *     2   actions, record_options, record
 *     3   totals in the counts
 *     4   durations in the counts, where buckets were
 *     5   record_timing, sampler; charges in the counts
 *     6   record_lines; lines in the counts, and in their charges
 *     7   record_memory; memory in the counts; large_bytes in the settings, where nothing was
 */
#ifndef PYUSDT_CONTROL_LAYOUT_H
#define PYUSDT_CONTROL_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define PYUSDT_CONTROL_MAGIC "pyusdt\n" /* 8 bytes with its NUL */
#define PYUSDT_CONTROL_VERSION 7

#define PYUSDT_FILTER_SIZE 1024
#define PYUSDT_NAME_SIZE 24
#define PYUSDT_MESSAGE_SIZE 256
#define PYUSDT_PROBES_MAX 64
#define PYUSDT_LOSSES_MAX 16

enum { PYUSDT_VALUES_SAFE, PYUSDT_VALUES_REPR, PYUSDT_VALUES_OFF };

#define PYUSDT_SLOW_OFF UINT64_MAX

struct pyusdt_settings {
    uint64_t slow_usec;               /* function__slow fires from this time on, or never */
    uint32_t values;                  /* PYUSDT_VALUES_* */
    uint32_t check_msec;              /* how often the watcher polls */
    uint32_t verbose;                 /* 1: log when events are enabled and disabled */
    uint32_t large_bytes;             /* mem__large fires from so many on, 1 or more */
    char only[PYUSDT_FILTER_SIZE];    /* patterns of functions to report; empty: all */
    char exclude[PYUSDT_FILTER_SIZE]; /* patterns of functions to drop, even if in `only` */
};

struct pyusdt_count {
    char name[PYUSDT_NAME_SIZE];
    uint64_t count;
};

enum { PYUSDT_WATCHER_STOPPED, PYUSDT_WATCHER_RUNNING };

/* Why no event is enabled although some are wanted. */
enum { PYUSDT_DORMANT_NOT, PYUSDT_DORMANT_NO_TOOL, PYUSDT_DORMANT_REFUSED, PYUSDT_DORMANT_JIT };

/* Written by the process alone. */
struct pyusdt_status {
    uint32_t sequence;       /* odd while it is written */
    uint32_t acknowledged;   /* request.sequence that was answered last */
    uint32_t failed;         /* 1: that request was refused as a whole, for the reason in `error` */
    int32_t pid;             /* as the process sees itself */
    uint32_t watcher;        /* PYUSDT_WATCHER_* */
    uint32_t dormant;        /* PYUSDT_DORMANT_* */
    int32_t tool_id;         /* of sys.monitoring; -1: none is held */
    uint32_t events_on;      /* bit N: the event of probes[N] is enabled */
    uint64_t probes_watched; /* bit N: a tracer watches probes[N] */
    uint32_t n_probes;
    uint32_t n_losses;
    char error[PYUSDT_MESSAGE_SIZE];
    char python[PYUSDT_NAME_SIZE]; /* its version, as in 3.13.0 */
    struct pyusdt_settings settings;
    struct pyusdt_count
        probes[PYUSDT_PROBES_MAX]; /* times fired, in the order of the event table */
    struct pyusdt_count losses[PYUSDT_LOSSES_MAX]; /* events that were lost, by reason */
};

/* Bits of `fields`: which of the settings the request is about. */
enum {
    PYUSDT_SET_SLOW_USEC = 1,
    PYUSDT_SET_VALUES = 2,
    PYUSDT_SET_CHECK_MSEC = 4,
    PYUSDT_SET_VERBOSE = 8,
    PYUSDT_SET_ONLY = 16,
    PYUSDT_SET_EXCLUDE = 32,
    PYUSDT_SET_LARGE_BYTES = 64,
    PYUSDT_SET_ALL = 127
};

/* Bits of `actions`. */
enum {
    PYUSDT_RECORD_START = 1,  /* with record_options; refused during another remote recording */
    PYUSDT_RECORD_COUNTS = 2, /* put the counts in `record`, and renew the lease */
    PYUSDT_RECORD_STOP = 4,
    PYUSDT_RECORD_ALL = 7
};

/* Written from outside alone, as a part of the request. */
struct pyusdt_record_options {
    uint64_t max_nodes;  /* how many calling contexts get memory, 1 or more */
    uint32_t c_calls;    /* 1: calls of functions in C too */
    uint32_t lease_msec; /* 1 or more */
    char only[PYUSDT_FILTER_SIZE];
    char exclude[PYUSDT_FILTER_SIZE];
};

/* Where a recording has its times from. Sampled: calls are counted without a clock. */
enum { PYUSDT_TIMES_EXACT, PYUSDT_TIMES_SAMPLED };

/* Written from outside alone, as a part of the request: more of the record_options. */
struct pyusdt_record_timing {
    uint32_t times;       /* PYUSDT_TIMES_* */
    uint32_t sample_msec; /* how often the sampler looks at the threads; 0: as it does by itself */
};

/* Written from outside alone, as a part of the request: more of the record_options. */
struct pyusdt_record_lines {
    char lines[PYUSDT_FILTER_SIZE]; /* patterns of functions whose lines are recorded; "": none */
    uint32_t of_program; /* 1: a "*" at the beginning of lines is not about the standard library,
                          * nor about what is installed (site-packages) */
    uint32_t reserved;
};

/* Which memory is recorded. */
enum {
    PYUSDT_MEMORY_PYTHON = 1,  /* what Python's allocators hand out */
    PYUSDT_MEMORY_NATIVE = 2,  /* and what all else takes from malloc(), mmap() and their kin */
    PYUSDT_MEMORY_SAMPLED = 4, /* of those, samples (src/memory/sample.h): for production */
    PYUSDT_MEMORY_BITS = 7,
};

/* Written from outside alone, as a part of the request: more of the record_options. */
struct pyusdt_record_memory {
    uint32_t memory;   /* PYUSDT_MEMORY_* */
    uint32_t reserved; /* 0 */
};

/* By whom the process is recorded. */
enum { PYUSDT_RECORDED_INSIDE = 1, PYUSDT_RECORDED_OUTSIDE = 2 };

/* Written by the process alone, as a part of the status. */
struct pyusdt_record {
    uint64_t address; /* of the counts, or 0: there are none */
    uint64_t size;
    uint32_t recorded; /* PYUSDT_RECORDED_* */
    uint32_t reserved; /* 0 */
};

/* The sampler, while something records. Written by the process alone, as a part of the status. */
struct pyusdt_sampler {
    uint32_t interval_usec; /* 0: it is off */
    uint32_t share;         /* of a CPU that it takes, in 1/10000 */
    uint32_t threads;       /* that it looks at */
    uint32_t reserved;      /* 0 */
    uint64_t looks;         /* at all threads, since it began */
};

/* Written from outside alone. */
struct pyusdt_request {
    uint32_t sequence; /* odd while it is written */
    uint32_t fields;   /* PYUSDT_SET_* */
    uint32_t actions;  /* PYUSDT_RECORD_*: done once, in this order */
    uint32_t reserved; /* 0 */
    struct pyusdt_settings settings;
};

struct pyusdt_control {
    char magic[8];
    uint32_t version;
    uint32_t size; /* of this struct */
    struct pyusdt_status status;
    struct pyusdt_request request;
    struct pyusdt_record_options record_options;
    struct pyusdt_record record;
    struct pyusdt_record_timing record_timing;
    struct pyusdt_sampler sampler;
    struct pyusdt_record_lines record_lines;
    struct pyusdt_record_memory record_memory;
};

#ifdef __cplusplus
#define PYUSDT_ASSERT static_assert
#else
#define PYUSDT_ASSERT _Static_assert
#endif
#define PYUSDT_AT(type, field, offset)                                                             \
    PYUSDT_ASSERT(offsetof(struct pyusdt_##type, field) == (offset), "others read " #field)
PYUSDT_AT(settings, values, 8);
PYUSDT_AT(settings, check_msec, 12);
PYUSDT_AT(settings, verbose, 16);
PYUSDT_AT(settings, large_bytes, 20);
PYUSDT_AT(settings, only, 24);
PYUSDT_AT(settings, exclude, 1048);
PYUSDT_AT(status, acknowledged, 4);
PYUSDT_AT(status, failed, 8);
PYUSDT_AT(status, pid, 12);
PYUSDT_AT(status, watcher, 16);
PYUSDT_AT(status, dormant, 20);
PYUSDT_AT(status, tool_id, 24);
PYUSDT_AT(status, events_on, 28);
PYUSDT_AT(status, probes_watched, 32);
PYUSDT_AT(status, n_probes, 40);
PYUSDT_AT(status, n_losses, 44);
PYUSDT_AT(status, error, 48);
PYUSDT_AT(status, python, 304);
PYUSDT_AT(status, settings, 328);
PYUSDT_AT(status, probes, 2400);
PYUSDT_AT(status, losses, 4448);
PYUSDT_AT(request, fields, 4);
PYUSDT_AT(request, actions, 8);
PYUSDT_AT(request, settings, 16);
PYUSDT_AT(control, version, 8);
PYUSDT_AT(control, size, 12);
PYUSDT_AT(control, status, 16);
PYUSDT_AT(control, request, 4976);
PYUSDT_AT(control, record_options, 7064); /* where version 1 ends */
PYUSDT_AT(control, record, 9128);
PYUSDT_AT(control, record_timing, 9152); /* where version 4 ends */
PYUSDT_AT(control, sampler, 9160);
PYUSDT_AT(control, record_lines, 9184);   /* where version 5 ends */
PYUSDT_AT(control, record_memory, 10216); /* where version 6 ends */
PYUSDT_AT(record_options, c_calls, 8);
PYUSDT_AT(record_options, lease_msec, 12);
PYUSDT_AT(record_options, only, 16);
PYUSDT_AT(record_options, exclude, 1040);
PYUSDT_AT(record, size, 8);
PYUSDT_AT(record, recorded, 16);
PYUSDT_AT(record_timing, sample_msec, 4);
PYUSDT_AT(record_lines, of_program, 1024);
PYUSDT_AT(sampler, share, 4);
PYUSDT_AT(sampler, threads, 8);
PYUSDT_AT(sampler, looks, 16);
PYUSDT_ASSERT(sizeof(struct pyusdt_control) == 10224, "another layout is another version");
#undef PYUSDT_AT
#undef PYUSDT_ASSERT

#endif
