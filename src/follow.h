/* SPDX-License-Identifier: Apache-2.0
 *
 * Who follows the threads' stacks: a call tree for each thread that has events, kept while some
 * reader wants it, and function__done and function__slow, which come out of it.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 */
#ifndef PYUSDT_FOLLOW_H
#define PYUSDT_FOLLOW_H

#include <Python.h>
#include <stdbool.h>

#include "calltree.h"
#include "probes.h"

/* Begin or cease to follow, as these watched probes want it. What was followed before is forgotten
 * when it begins anew: nobody knows what has been entered and left since. */
void follow_apply(probe_mask watched);

/* The stacks of all threads are taken over as they are, those too that are blocked and have no
 * event for a long time. To be called once events are on. */
void follow_adopt_all(void);

/* Other functions are rejected than before: the stacks are taken over as they are now. Calls that
 * were followed go on, unless there is a change beneath them: then they are not told at their end.
 */
void follow_refilter(void);

/* The setting slow_usec has changed. */
void follow_set_slow(void);

/* True when follow_tell() has something to tell. No GIL. */
bool follow_has_news(void);

/* Fire thread__state for each thread that was not told yet, or for all of them. */
void follow_tell(bool all);

/* True while call trees are kept. */
extern bool follow_on;

/* The running thread enters or leaves `code`. To be called while follow_on. */
void follow_enter(struct code_record *code, enum calltree_kind kind);
void follow_exit(struct code_record *code, enum calltree_outcome outcome);

#endif
