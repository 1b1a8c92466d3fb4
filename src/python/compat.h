/* SPDX-License-Identifier: Apache-2.0
 *
 * Differences between the Pythons that we compile for. Only this file checks a version or a build.
 *
 * Containers that other threads can change: under the GIL a borrowed item is safe as long as we run
 * no user code. Without a GIL it needs a reference of its own, so every item that is read here must
 * be given back with compat_release.
 */
#ifndef PYUSDT_PYTHON_COMPAT_H
#define PYUSDT_PYTHON_COMPAT_H

#include <Python.h>
#include <stdbool.h>

/* Whether an interpreter of this version can have the probes function__entry and function__return,
 * if built --with-dtrace: 3.12 to 3.14 cannot (cpython #98894), 3.15 can (#142397). */
static inline bool compat_knows_function_probes(void) {
    return Py_Version >= 0x030F0000;
}

/* LINE is lost at the first line of a function, where it has no more than that, unless PY_START is
 * enabled too (cpython #155992). */
static inline bool compat_line_needs_start(void) {
    return Py_Version >= 0x030D0000;
}

/* In a child that was forked by another thread than the first, a thread state that is made while
 * there is none is a fatal error ("thread state already initialized"). */
static inline bool compat_needs_spare_state(void) {
    return Py_Version < 0x030D0000;
}

/* What the JIT does to the locals of frames while any tool has events enabled. */
enum compat_jit { COMPAT_JIT_HARMLESS, COMPAT_JIT_SPOILS, COMPAT_JIT_UNKNOWN };

/* Whether the module site runs, with its .pth files and sitecustomize. GIL held; may leave an
 * exception. */
static inline bool compat_site_runs(void) {
    PyObject *site = PyDict_GetItemString(PyImport_GetModuleDict(), "site"); /* borrowed */
    PyObject *spec = site ? PyObject_GetAttrString(site, "__spec__") : NULL;
    PyObject *runs = spec ? PyObject_GetAttrString(spec, "_initializing") : NULL;
    bool result = runs == Py_True;

    Py_XDECREF(spec);
    Py_XDECREF(runs);
    return result;
}

/* That of 3.14 spoils them (https://github.com/python/cpython/issues/156319) if it is on, which
 * never changes in the life of a process. The interpreter switches it on at the very end of its
 * start, so it is not known while site runs (Python/pylifecycle.c). GIL held; leaves no exception.
 */
static inline enum compat_jit compat_jit(void) {
    PyObject *jit = PySys_GetObject("_jit"); /* borrowed */
    PyObject *available = NULL, *enabled = NULL;
    enum compat_jit does = COMPAT_JIT_HARMLESS;

    if (jit && Py_Version >> 16 == 0x030E) {
        available = PyObject_CallMethod(jit, "is_available", NULL);
        enabled = PyObject_CallMethod(jit, "is_enabled", NULL);
    }
    if (enabled == Py_True)
        does = COMPAT_JIT_SPOILS;
    else if (available == Py_True && compat_site_runs())
        does = COMPAT_JIT_UNKNOWN;
    Py_XDECREF(available);
    Py_XDECREF(enabled);
    PyErr_Clear();
    return does;
}

#ifdef Py_GIL_DISABLED

/* Item `i` of an exact list, NULL where another thread has made the list shorter. No exception. */
static inline PyObject *compat_list_item(PyObject *list, Py_ssize_t i) {
    PyObject *item = PyList_GetItemRef(list, i);

    if (!item)
        PyErr_Clear();
    return item;
}

/* PyDict_Next. Accepted race: a dict that changes between two steps may skip or repeat an item. */
static inline bool compat_dict_next(PyObject *dict, Py_ssize_t *at, PyObject **key,
                                    PyObject **value) {
    PyCriticalSection section;
    bool more;

    PyCriticalSection_Begin(&section, dict);
    more = PyDict_Next(dict, at, key, value);
    if (more) {
        Py_INCREF(*key);
        Py_INCREF(*value);
    }
    PyCriticalSection_End(&section);
    return more;
}

/* Whether other threads stand still while we run, so that their stacks can be read. */
static inline bool compat_others_wait(void) {
    return false;
}

/* Give back an item of the functions above. Accepted: it may be the last reference by now. */
static inline void compat_release(PyObject *item) {
    Py_XDECREF(item);
}

/* One thread at a time between the two, for the fields of `o`. No user code in between. */
typedef PyCriticalSection compat_section;

static inline void compat_section_begin(compat_section *section, PyObject *o) {
    PyCriticalSection_Begin(section, o);
}

static inline void compat_section_end(compat_section *section) {
    PyCriticalSection_End(section);
}

#else

static inline PyObject *compat_list_item(PyObject *list, Py_ssize_t i) {
    return PyList_GetItem(list, i);
}

static inline bool compat_dict_next(PyObject *dict, Py_ssize_t *at, PyObject **key,
                                    PyObject **value) {
    return PyDict_Next(dict, at, key, value);
}

static inline bool compat_others_wait(void) {
    return true;
}

static inline void compat_release(PyObject *item) {
    (void)item;
}

typedef char compat_section;

static inline void compat_section_begin(compat_section *section, PyObject *o) {
    (void)section, (void)o;
}

static inline void compat_section_end(compat_section *section) {
    (void)section;
}

#endif
#endif
