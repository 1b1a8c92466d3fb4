/* SPDX-License-Identifier: Apache-2.0
 *
 * The stack of a thread, read from CPython's frames. GIL held; nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_STACK_H
#define PYUSDT_CAPTURE_STACK_H

#include <Python.h>

#include "calltree/code_record.h"

/* How many frames are read: the older ones of a deeper stack are left out. */
enum { STACK_MAX = 4096 };

/* Store the records of `frame` (borrowed; NULL: none) and its callers in `codes`, which has room
 * for STACK_MAX, oldest first. Returns their number. Rejected ones are left out, as their events
 * are. */
uint32_t stack_collect(PyObject *frame, struct code_record **codes);

/* The caller's frame: a new reference, or NULL where there is none. */
PyObject *stack_back(PyObject *frame);

/* 0, or -1 with an exception set. */
int stack_init(void);

#endif
