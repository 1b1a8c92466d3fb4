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

/* 0, or -1 with an exception set. */
int follow_init(void);

/* Begin or cease to follow, as these watched probes want it. What was followed before is forgotten
 * when it begins anew: nobody knows what has been entered and left since. */
void follow_apply(probe_mask watched);

/* The threads of the parent that did not come along. In the child of a fork. */
void follow_postfork_child(void);

/* True while call trees are kept. */
extern bool follow_on;

/* The running thread enters or leaves `code`. To be called while follow_on. */
void follow_enter(struct code_record *code, enum calltree_kind kind);
void follow_exit(struct code_record *code, enum calltree_outcome outcome);

#endif
