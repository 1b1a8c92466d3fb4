/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/generated.h"

#include <stdio.h>
#include <string.h>

#include "python/text.h"

static PyObject *s_varnames, *s_locals; /* interned, written once */
static char s_found[1024];              /* under the GIL */

/* The first argument of the running frame, where that runs `code`: a new reference, or NULL. */
static PyObject *first_argument(PyObject *code) {
    PyObject *frame = (PyObject *)PyEval_GetFrame(), *running = NULL; /* frame: borrowed */
    PyObject *names = NULL, *locals = NULL, *first = NULL;

    if (frame)
        running = (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);
    if (running == code) {
        names = PyObject_GetAttr(code, s_varnames);
        locals = PyObject_GetAttr(frame, s_locals);
    }
    if (locals && names && PyTuple_Size(names) > 0)
        first = PyObject_GetItem(locals, PyTuple_GetItem(names, 0));
    Py_XDECREF(running);
    Py_XDECREF(names);
    Py_XDECREF(locals);
    PyErr_Clear();
    return first;
}

static bool has_prefix(const char *text, const char *prefix) {
    return !strncmp(text, prefix, strlen(prefix));
}

/* Whether dataclasses or attrs generated it: the methods of all classes have one name then, and
 * those of dataclasses one place. */
bool generated_is(const struct code_record *key) {
    return has_prefix(key->qualname, "__create_fn__.<locals>.") ||
           has_prefix(key->file, "<attrs generated methods ");
}

/* The function of a generated method has its class in its name, and the class has the function. */
void generated_name(PyObject *code, PyObject *attribute, char *qualname, size_t size) {
    PyObject *self = first_argument(code), *name = PyObject_GetAttr(code, attribute);

    if (self && name && text_method(self, name, code, s_found, sizeof s_found))
        snprintf(qualname, size, "%s", s_found);
    Py_XDECREF(self);
    Py_XDECREF(name);
}

int generated_init(void) {
    s_varnames = PyUnicode_InternFromString("co_varnames");
    s_locals = PyUnicode_InternFromString("f_locals");
    return s_varnames && s_locals ? 0 : -1;
}
