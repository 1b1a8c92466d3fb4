/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/gc.h"

#include <Python.h>
#include <stdbool.h>

#include "base/clock.h"
#include "python/callable.h"

/* Written under the GIL. */
static PyObject
    *s_list; /* gc.callbacks: the collector reads this list, even if the name is rebound */
static PyObject *s_callback; /* our entry in it */
static uint64_t s_began;     /* ticks; collections do not nest */

/* info[key] as CPython fills it in: an exact dict with exact ints. */
static int64_t number(PyObject *info, const char *key) {
    PyObject *value = PyDict_GetItemString(info, key); /* borrowed */
    int64_t n = value ? PyLong_AsLongLong(value) : 0;

    PyErr_Clear();
    return n;
}

static void began(PyObject *info) {
    s_began = clock_ticks();
    if (probe_on(PROBE_gc__begin))
        probe_gc__begin((int32_t)number(info, "generation"));
}

static void ended(PyObject *info) {
    uint64_t elapsed = s_began ? clock_ticks() - s_began : 0;

    s_began = 0;
    if (probe_on(PROBE_gc__end))
        probe_gc__end((int32_t)number(info, "generation"), number(info, "collected"),
                      number(info, "uncollectable"), clock_ns(elapsed));
}

/* callback(phase, info). The program may call it with anything. */
static PyObject *on_gc(PyObject *self, PyObject *const *a, size_t nargs, PyObject *kwnames) {
    (void)self, (void)kwnames;
    if ((nargs & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != 2 || !PyUnicode_Check(a[0]) ||
        !PyDict_CheckExact(a[1]))
        return Py_None; /* immortal since 3.12 (PEP 683) */
    if (PyUnicode_CompareWithASCIIString(a[0], "start") == 0)
        began(a[1]);
    else
        ended(a[1]);
    return Py_None;
}

/* Our place in the list, by identity: a comparison would run the user's __eq__. -1: not in it. */
static Py_ssize_t position(void) {
    for (Py_ssize_t i = 0; i < PyList_Size(s_list); i++)
        if (PyList_GetItem(s_list, i) == s_callback)
            return i;
    return -1;
}

void gc_apply(probe_mask watched) {
    bool wanted = watched & (PROBE_BIT(PROBE_gc__begin) | PROBE_BIT(PROBE_gc__end));
    Py_ssize_t i = position();

    if (wanted && i < 0)
        PyList_Append(s_list, s_callback);
    else if (!wanted && i >= 0)
        PyList_SetSlice(s_list, i, i + 1, NULL);
    if (!wanted)
        s_began = 0;
    PyErr_Clear();
}

int gc_init(void) {
    PyObject *gc = PyImport_ImportModule("gc");

    s_list = gc ? PyObject_GetAttrString(gc, "callbacks") : NULL;
    s_callback = callable_new(on_gc, NULL);
    Py_XDECREF(gc);
    /* The program has put something else there: these probes never fire. */
    if (s_list && !PyList_Check(s_list)) {
        Py_DECREF(s_list);
        s_list = PyList_New(0);
    }
    return s_list && s_callback ? 0 : -1;
}
