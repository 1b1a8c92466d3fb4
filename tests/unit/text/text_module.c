/* SPDX-License-Identifier: Apache-2.0
 *
 * src/python/text.c as a Python module, for the tests here: each function takes the object and
 * returns the text. A function that left an exception set makes its call fail, as CPython checks
 * that itself.
 */
#include <Python.h>

#include <signal.h>
#include <string.h>

#include "../../../src/python/text.h"

#define GUARD 16
#define GUARD_BYTE 0x5a

struct guarded {
    char text[TEXT_SIZE];
    char guard[GUARD];
};

static struct guarded untouched(void) {
    struct guarded buf;
    memset(&buf, GUARD_BYTE, sizeof(buf));
    return buf;
}

/* `text` decoded strictly: invalid UTF-8 raises. */
static PyObject *checked(const char *text, const char *guard) {
    for (int i = 0; i < GUARD; i++) {
        if (guard[i] != GUARD_BYTE) {
            PyErr_SetString(PyExc_AssertionError, "written beyond the buffer");
            return NULL;
        }
    }
    return PyErr_Occurred() ? NULL : PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "strict");
}

static PyObject *value(PyObject *self, PyObject *args) {
    struct guarded buf = untouched();
    PyObject *o;
    int mode = TEXT_SAFE;
    (void)self;
    if (!PyArg_ParseTuple(args, "O|i", &o, &mode))
        return NULL;
    return checked(text_value(o, (enum text_mode)mode, buf.text), buf.guard);
}

static PyObject *callable(PyObject *self, PyObject *o) {
    struct guarded buf = untouched();
    (void)self;
    return checked(text_callable(o, buf.text), buf.guard);
}

static PyObject *exception(PyObject *self, PyObject *o) {
    struct guarded buf = untouched();
    (void)self;
    return checked(text_exception(o, buf.text), buf.guard);
}

static PyObject *name(PyObject *self, PyObject *args) {
    char buf[1024 + GUARD];
    PyObject *o;
    Py_ssize_t size;
    (void)self;
    if (!PyArg_ParseTuple(args, "On", &o, &size) || size > 1024)
        return NULL;
    memset(buf, GUARD_BYTE, sizeof(buf));
    size_t length = text_name(o, buf, (size_t)size);
    if (length != strlen(buf)) {
        PyErr_SetString(PyExc_AssertionError, "wrong length");
        return NULL;
    }
    return checked(buf, buf + size);
}

/* The texts for NULL. */
static PyObject *nulls(PyObject *self, PyObject *unused) {
    char buf[TEXT_SIZE], small[8];
    (void)self;
    (void)unused;
    text_name(NULL, small, sizeof(small));
    return Py_BuildValue("(ssss)", text_value(NULL, TEXT_SAFE, buf), text_callable(NULL, buf),
                         text_exception(NULL, buf), small);
}

/* (text of `o`, whether the handler of SIGUSR1, which is pending meanwhile, has run by then: it
 * appends to the list). */
static PyObject *value_while_signalled(PyObject *self, PyObject *args) {
    struct guarded buf = untouched();
    PyObject *o, *list;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO", &o, &list))
        return NULL;
    raise(SIGUSR1);
    const char *text = text_value(o, TEXT_SAFE, buf.text);
    int handled = PyList_Size(list) > 0;
    PyObject *decoded = checked(text, buf.guard);
    return decoded ? Py_BuildValue("(NO)", decoded, handled ? Py_True : Py_False) : NULL;
}

static PyMethodDef s_methods[] = {
    {"value", value, METH_VARARGS, NULL},
    {"callable", callable, METH_O, NULL},
    {"exception", exception, METH_O, NULL},
    {"name", name, METH_VARARGS, NULL},
    {"nulls", nulls, METH_NOARGS, NULL},
    {"value_while_signalled", value_while_signalled, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef s_module = {
    PyModuleDef_HEAD_INIT, "text_module", NULL, -1, s_methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_text_module(void) {
    if (text_init() < 0)
        return NULL;
    return PyModule_Create(&s_module);
}
