/* SPDX-License-Identifier: Apache-2.0
 *
 * Methods that dataclasses and attrs generate, which have the same name in all classes. GIL held.
 *
 * Private to: capture, module.c
 */
#ifndef PYUSDT_CAPTURE_GENERATED_H
#define PYUSDT_CAPTURE_GENERATED_H

#include <Python.h>
#include <stdbool.h>

#include "calltree/code_record.h"

/* 0, or -1 with an exception set. */
int generated_init(void);

/* Whether the code of these names is such a method. */
bool generated_is(const struct code_record *key);

/* Writes the qualified name that the method `code` has in its class to `qualname`, of `size` bytes,
 * if it runs now and is found; `attribute` is "co_name". Reading the locals prolongs their life to
 * the end of the call: this is for the first event of such a method alone. Leaves no exception. */
void generated_name(PyObject *code, PyObject *attribute, char *qualname, size_t size);

#endif
