/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses the arguments of functions that are called often (METH_FASTCALL | METH_KEYWORDS): there,
 * PyArg_ParseTupleAndKeywords would cost more than the function itself.
 */
#ifndef PYUSDT_PYTHON_ARGUMENTS_H
#define PYUSDT_PYTHON_ARGUMENTS_H

#include <Python.h>

/* The parameters of a function. The first one is required. */
struct parameters {
    const char *function;
    const char *const *names; /* NULL at the end */
};

/* Store each argument in `values`, in the order of the names. Values of missing ones stay as they
 * are; the first must be NULL before. Borrowed from the caller. GIL held. 0, or -1 with a TypeError
 * set. */
int arguments_read(const struct parameters *parameters, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames, PyObject **values);

/* 0 if `name` is a str, else -1 with a TypeError set that names the function. GIL held. */
int arguments_check_name(const char *function, PyObject *name);

#endif
