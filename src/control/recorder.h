/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder: the reader inside the process. It wants the call trees of all threads, with times,
 * and the steps. Their counts are the recording, which snapshot.h hands over.
 *
 * It works for two clients, the program itself and a process outside, which start and stop it
 * independently. It records what either of them wants.
 *
 * GIL held for everything here. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CONTROL_RECORDER_H
#define PYUSDT_CONTROL_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

enum recorder_client { RECORDER_INSIDE, RECORDER_OUTSIDE, RECORDER_CLIENTS };

struct recorder_options {
    bool c_calls;          /* calls of functions in C too */
    int64_t max_nodes;     /* how many more calling contexts get memory, 1 or more */
    const char *only;      /* which functions are recorded: see filter.h; checked; borrowed */
    const char *exclude;   /* for the call. While tracers track too, the trees have all functions */
    uint32_t times;        /* PYUSDT_TIMES_*: sampled if all clients want that */
    const char *lines;     /* whose lines are recorded: as `only`, but "" has no function */
    bool lines_of_program; /* a "*" at the beginning of `lines` is not about the standard library,
                            * nor about what is installed (site-packages) */
    uint32_t memory;       /* PYUSDT_MEMORY_*: what is allocated, too */
    uint32_t sample_msec;  /* how often the sampler looks; 0: as PYUSDT_SAMPLE_MSEC says */
};

/* Start to record, or go on with other options. 0 or one of monitor.h's errors. */
int recorder_start(enum recorder_client client, const struct recorder_options *options);

/* Stop recording for this client. When the last one stops, the events are disabled and the counts
 * are lost. If that happened only a moment ago, it is left to the watcher's next poll: a program
 * that records in a loop must not make the events flap. */
void recorder_stop(enum recorder_client client);

/* The program has marked a function: lines are to be recorded, if anything is. */
void recorder_lines_marked(void);

/* Whether it records for this client. Any thread, no GIL. */
bool recorder_is_on(enum recorder_client client);

/* In the child of a fork: no process outside has requested to record it. */
void recorder_postfork_child(void);

#endif
