/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder: the reader inside the process. It wants the call trees of all threads, with times,
 * and the steps; what it has recorded is what they have counted, which snapshot.h hands over.
 *
 * It works for two clients at a time, the program itself and somebody outside, each of whom starts
 * and stops it without regard to the other: what is counted is what either of them wants.
 *
 * GIL held for everything here. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CONTROL_RECORDER_H
#define PYUSDT_CONTROL_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

enum recorder_client { RECORDER_INSIDE, RECORDER_OUTSIDE, RECORDER_CLIENTS };

struct recorder_options {
    bool c_calls;        /* calls of functions in C too */
    int64_t max_nodes;   /* more calling contexts that there is memory for, 1 or more */
    const char *only;    /* what is not recorded: see filter.h; checked; borrowed for the call */
    const char *exclude; /* while others follow too, the call tree has all functions */
};

/* Record from now on, or go on with other options. 0 or one of monitor.h's errors. */
int recorder_start(enum recorder_client client, const struct recorder_options *options);

/* Record no more for this client. With the last one counts are gone with the events; those go at
 * the watcher's next look when they went only a moment ago: a program that records in a loop must
 * not make them flap. */
void recorder_stop(enum recorder_client client);

/* Whether it records for this client. Any thread, no GIL. */
bool recorder_is_on(enum recorder_client client);

/* In the child of a fork: nobody outside has asked for it to be recorded. */
void recorder_postfork_child(void);

#endif
