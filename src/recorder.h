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

/* Record from now on, or go on with other wishes. `c_calls`: calls of C functions too. `max_nodes`:
 * how many more calling contexts there is memory for, 1 or more. 0 or one of monitor.h's errors. */
int recorder_start(bool c_calls, int64_t max_nodes);

/* Record no more. Counts are gone with the events; those go at the watcher's next look when they
 * went only a moment ago: a program that records in a loop must not make them flap. */
void recorder_stop(void);

#endif
