/* SPDX-License-Identifier: Apache-2.0
 *
 * pyusdt.mark(): the program reports that something happened, and perhaps how much.
 */
#ifndef PYUSDT_STEPS_MARK_H
#define PYUSDT_STEPS_MARK_H

#include <Python.h>

/* mark(name, value=None), METH_FASTCALL | METH_KEYWORDS. Runs no code of `value`, except repr()
 * with PYUSDT_VALUES=repr. TypeError unless `name` is a str. */
PyObject *mark_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

#endif
