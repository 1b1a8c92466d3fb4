/* SPDX-License-Identifier: Apache-2.0
 *
 * pyusdt.steps(): an iterator that makes a step of each pass through the body of a loop.
 */
#ifndef PYUSDT_STEPS_STEPS_H
#define PYUSDT_STEPS_STEPS_H

#include <Python.h>

/* Make the type. GIL held. 0, or -1 with an exception set. */
int steps_init(void);

/* steps(iterable, name), METH_VARARGS | METH_KEYWORDS. TypeError unless `iterable` is iterable, or
 * asynchronously so, and `name` a str. */
PyObject *steps_call(PyObject *module, PyObject *args, PyObject *kwargs);

#endif
