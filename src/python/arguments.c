/* SPDX-License-Identifier: Apache-2.0 */
#include "python/arguments.h"

static int count(const struct parameters *parameters) {
    int n = 0;

    while (parameters->names[n])
        n++;
    return n;
}

/* The place of the parameter that `keyword` names, or -1. */
static int place(const struct parameters *parameters, PyObject *keyword) {
    for (int i = 0; parameters->names[i]; i++)
        if (PyUnicode_CompareWithASCIIString(keyword, parameters->names[i]) == 0)
            return i;
    return -1;
}

static int read_keyword(const struct parameters *parameters, PyObject *keyword, PyObject *value,
                        Py_ssize_t nargs, PyObject **values) {
    int i = place(parameters, keyword);

    if (i >= nargs) {
        values[i] = value;
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 i < 0 ? "%s() got an unexpected keyword argument '%U'"
                       : "%s() got multiple values for argument '%U'",
                 parameters->function, keyword);
    return -1;
}

int arguments_read(const struct parameters *parameters, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *kwnames, PyObject **values) {
    Py_ssize_t n_keywords = kwnames ? PyTuple_Size(kwnames) : 0;

    if (nargs > count(parameters)) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d arguments (%zd given)",
                     parameters->function, count(parameters), nargs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++)
        values[i] = args[i];
    for (Py_ssize_t i = 0; i < n_keywords; i++)
        if (read_keyword(parameters, PyTuple_GetItem(kwnames, i), args[nargs + i], nargs, values))
            return -1;
    if (values[0])
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() missing the argument '%s'", parameters->function,
                 parameters->names[0]);
    return -1;
}

int arguments_check_name(const char *function, PyObject *name) {
    PyObject *type;

    if (PyUnicode_Check(name))
        return 0;
    type = PyType_GetName(Py_TYPE(name));
    if (type)
        PyErr_Format(PyExc_TypeError, "%s() needs a name that is a str, not %U", function, type);
    Py_XDECREF(type);
    return -1;
}
