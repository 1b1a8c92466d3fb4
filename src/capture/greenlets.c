/* SPDX-License-Identifier: Apache-2.0
 *
 * The hook is a function in C whose self is the hook that was there before, or None. So nothing
 * has to be kept of a thread, and a hook that a program replaces frees what it held. No greenlet is
 * looked at, or kept alive.
 */
#include "capture/greenlets.h"

#include <Python.h>

#include "python/dict_read.h"

/* Written under the GIL. */
static PyObject *s_greenlet, *s_settrace; /* interned */
static void (*s_switched)(void);
static bool s_wanted;

/* greenlet.settrace(hook): the hook that was there, a new reference. NULL where there is none of
 * greenlet's own. */
static PyObject *settrace(PyObject *hook) {
    PyObject *module = dict_read_name(PyImport_GetModuleDict(), s_greenlet);
    PyObject *function = NULL, *before = NULL;

    if (module && PyModule_Check(module))
        function = dict_read_name(PyModule_GetDict(module), s_settrace);
    if (function && PyCFunction_CheckExact(function))
        before = PyObject_CallFunctionObjArgs(function, hook, NULL);
    Py_XDECREF(function);
    Py_XDECREF(module);
    PyErr_Clear();
    return before;
}

static PyObject *on_switch(PyObject *before, PyObject *const *arguments, Py_ssize_t n);

static bool is_ours(PyObject *hook) {
    return hook && PyCFunction_CheckExact(hook) &&
           PyCFunction_GetFunction(hook) == (PyCFunction)(void (*)(void))on_switch;
}

/* Put `before` back in our place, unless the program has set another hook meanwhile. */
static void unhook(PyObject *before) {
    PyObject *hook = settrace(before);

    if (hook && !is_ours(hook))
        Py_XDECREF(settrace(hook));
    Py_XDECREF(hook);
}

/* What the hook of before raises, it raises as it would without us. */
static PyObject *on_switch(PyObject *before, PyObject *const *arguments, Py_ssize_t n) {
    if (s_wanted)
        s_switched();
    else
        unhook(before);
    return before == Py_None ? Py_NewRef(before)
                             : PyObject_Vectorcall(before, arguments, (size_t)n, NULL);
}

static PyMethodDef s_on_switch = {"pyusdt", (PyCFunction)(void (*)(void))on_switch, METH_FASTCALL,
                                  "Called by greenlet at each switch."};

bool greenlets_imported(void) {
    PyObject *module = dict_read_name(PyImport_GetModuleDict(), s_greenlet);
    PyObject *function = NULL;
    bool imported;

    if (module && PyModule_Check(module))
        function = dict_read_name(PyModule_GetDict(module), s_settrace);
    imported = function;
    Py_XDECREF(function);
    Py_XDECREF(module);
    return imported;
}

void greenlets_hook(void) {
    PyObject *before = s_wanted ? settrace(Py_None) : NULL, *hook = NULL;

    if (!before)
        return;
    hook = is_ours(before) ? Py_NewRef(before) : PyCFunction_New(&s_on_switch, before);
    Py_XDECREF(settrace(hook ? hook : before));
    Py_XDECREF(hook);
    Py_DECREF(before);
    PyErr_Clear();
}

void greenlets_want(bool wanted) {
    s_wanted = wanted;
}

int greenlets_init(void (*switched)(void)) {
    s_switched = switched;
    s_greenlet = PyUnicode_InternFromString("greenlet");
    s_settrace = PyUnicode_InternFromString("settrace");
    return s_greenlet && s_settrace ? 0 : -1;
}
