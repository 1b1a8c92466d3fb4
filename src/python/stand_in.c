/* SPDX-License-Identifier: Apache-2.0 */
#include "python/stand_in.h"

#include <Python.h>
#include <stdlib.h>
#include <string.h>

/* What inspect reads of a built-in function: as the original has it. */
static char *doc_of(PyObject *function, const char *name) {
    PyObject *signature = PyObject_GetAttrString(function, "__text_signature__");
    PyObject *doc = PyObject_GetAttrString(function, "__doc__"), *whole = NULL, *utf8 = NULL;
    char *copy = NULL;

    if (signature && doc)
        whole = PyUnicode_FromFormat("%s%S\n--\n\n%S", name, signature, doc);
    if (whole)
        utf8 = PyUnicode_AsUTF8String(whole);
    if (utf8)
        copy = strdup(PyBytes_AsString(utf8));
    Py_XDECREF(utf8);
    Py_XDECREF(whole);
    Py_XDECREF(doc);
    Py_XDECREF(signature);
    PyErr_Clear();
    return copy;
}

PyObject *stand_in_put(const char *module, PyMethodDef *method) {
    PyObject *there = PyImport_ImportModule(module), *ours = NULL;
    PyObject *name = there ? PyObject_GetAttrString(there, "__name__") : NULL;
    PyObject *original = name ? PyObject_GetAttrString(there, method->ml_name) : NULL;

    if (original) {
        method->ml_doc = doc_of(original, method->ml_name);
        ours = PyCFunction_NewEx(method, there, name);
    }
    if (!ours || PyObject_SetAttrString(there, method->ml_name, ours) < 0)
        Py_CLEAR(original);
    Py_XDECREF(ours);
    Py_XDECREF(name);
    Py_XDECREF(there);
    PyErr_Clear();
    return original;
}
