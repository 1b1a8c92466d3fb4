/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/stack.h"

#include "capture/code.h"

static PyObject *s_f_back, *s_f_globals; /* interned, written once */

/* The attribute of a frame: a new reference, NULL for None and on failure. Frames are of a type of
 * CPython's own: no user code runs. */
static PyObject *get(PyObject *frame, PyObject *attribute) {
    PyObject *value = PyObject_GetAttr(frame, attribute);

    if (value == Py_None) /* immortal */
        value = NULL;
    PyErr_Clear();
    return value;
}

PyObject *stack_back(PyObject *frame) {
    return get(frame, s_f_back);
}

/* Reading f_code would call the program's audit hooks. */
static struct code_record *record_of(PyObject *frame) {
    PyObject *code = (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);
    PyObject *globals = get(frame, s_f_globals);
    struct code_record *record = code_find_in(code, globals);

    Py_DECREF(code);
    Py_XDECREF(globals);
    return record;
}

static void reverse(struct code_record **codes, uint32_t n) {
    for (uint32_t i = 0; i < n / 2; i++) {
        struct code_record *code = codes[i];

        codes[i] = codes[n - 1 - i];
        codes[n - 1 - i] = code;
    }
}

uint32_t stack_collect(PyObject *frame, struct code_record **codes) {
    uint32_t n = 0;

    Py_XINCREF(frame);
    while (frame && n < STACK_MAX) {
        struct code_record *record = record_of(frame);
        PyObject *back = stack_back(frame);

        if (record && !record->rejected)
            codes[n++] = record;
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    reverse(codes, n);
    return n;
}

int stack_init(void) {
    s_f_back = PyUnicode_InternFromString("f_back");
    s_f_globals = PyUnicode_InternFromString("f_globals");
    return s_f_back && s_f_globals ? 0 : -1;
}
