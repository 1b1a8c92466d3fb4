/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder: the reader inside the process. It wants the call trees of all threads, with times;
 * what it has recorded is what they have counted, which snapshot.h hands over.
 *
 * GIL held for everything here. Nothing leaves an exception set.
 */
#ifndef PYUSDT_RECORDER_H
#define PYUSDT_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

struct recorder_wishes {
    bool c_calls;        /* calls of functions in C too */
    int64_t max_nodes;   /* more calling contexts that there is memory for, 1 or more */
    const char *only;    /* what is not recorded: see filter.h; checked; borrowed for the call */
    const char *exclude; /* while a tracer follows too, its call tree has all functions */
};

/* Record from now on, or go on with other wishes. 0 or one of monitor.h's errors. */
int recorder_start(const struct recorder_wishes *wishes);

/* Record no more. Counts are gone with the events; those go at the watcher's next look when they
 * went only a moment ago: a program that records in a loop must not make them flap. */
void recorder_stop(void);

#endif
