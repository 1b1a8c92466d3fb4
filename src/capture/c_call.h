/* SPDX-License-Identifier: Apache-2.0
 *
 * From a callable in C to a code record: for built-in functions and methods of built-in types, the
 * same that cProfile counts. As there, the PyMethodDef identifies the function: bound and unbound
 * methods share it.
 *
 * GIL held for everything here. Nothing leaves an exception set, but for c_call_init().
 */
#ifndef PYUSDT_CAPTURE_C_CALL_H
#define PYUSDT_CAPTURE_C_CALL_H

#include <Python.h>
#include <stdbool.h>

#include "calltree/code_record.h"

/* 0, or -1 with an exception set. */
int c_call_init(void);

/* Whether this interpreter keeps the PyMethodDef where c_call.c expects it. */
extern bool c_call_works;

/* The record of a callable, made if needed. NULL: it is none of those, or there is no memory. */
struct code_record *c_call_find(PyObject *callable);

#endif
