/* SPDX-License-Identifier: Apache-2.0
 *
 * pyusdt.step(): a context manager and decorator that makes a step of a block or of a call.
 */
#ifndef PYUSDT_STEPS_STEP_TYPE_H
#define PYUSDT_STEPS_STEP_TYPE_H

#include <Python.h>

/* Make the type, the first time, and add it to the module. GIL held. 0, or -1 with an exception
 * set. */
int step_type_init(PyObject *module);

/* step(name), METH_FASTCALL | METH_KEYWORDS. TypeError unless `name` is a str. */
PyObject *step_type_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                         PyObject *kwnames);

#endif
