/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/thread_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/thread_entry.h"
#include "python/dict_read.h"
#include "python/text.h"

/* Interned, written once. */
static PyObject *s_name, *s_tid, *s_threading, *s_active; /* "_name", "_native_id", ... */
static PyObject *s_locals, *s_self;                       /* "f_locals", "self" */

PyObject *thread_name_active(void) {
    PyObject *threading = dict_read_name(PyImport_GetModuleDict(), s_threading);
    PyObject *active = NULL;

    if (threading && PyModule_Check(threading))
        active = dict_read_name(PyModule_GetDict(threading), s_active);
    if (!dict_read_is_numbered(active))
        Py_CLEAR(active);
    Py_XDECREF(threading);
    return active;
}

/* Read the name and the native id from the Thread's own __dict__: a property of a subclass would be
 * user code. */
static void read_thread(struct thread *thread, PyObject *object) {
    PyObject *dict = PyObject_GenericGetDict(object, NULL);
    PyObject *name = dict_read_name(dict, s_name), *tid = dict_read_name(dict, s_tid);

    thread->named = name;
    if (name)
        text_name(name, thread->tree->name, sizeof thread->tree->name);
    if (!thread->tree->tid && tid && PyLong_CheckExact(tid))
        thread->tree->tid = (uint32_t)PyLong_AsLong(tid);
    Py_XDECREF(dict);
    Py_XDECREF(name);
    Py_XDECREF(tid);
}

/* A thread that Python's threading does not know gets the kernel's name; the main thread gets the
 * name that threading would give it. */
static void read_comm(struct thread *thread) {
    char path[64];
    FILE *file;

    if (thread->tree->tid == (uint32_t)getpid()) {
        strcpy(thread->tree->name, "MainThread");
        return;
    }
    snprintf(path, sizeof path, "/proc/self/task/%u/comm", thread->tree->tid);
    file = fopen(path, "re");
    if (!file)
        return;
    if (fgets(thread->tree->name, sizeof thread->tree->name, file))
        thread->tree->name[strcspn(thread->tree->name, "\n")] = '\0';
    fclose(file);
}

/* The `self` of the running frame, which is Thread._bootstrap: a thread of Python's threading
 * begins there, long before it is in _active. The locals of other frames are not read, because that
 * would prolong their life. */
static PyObject *first_self(void) {
    PyObject *frame = (PyObject *)PyEval_GetFrame();
    PyObject *locals = frame ? PyObject_GetAttr(frame, s_locals) : NULL;
    PyObject *self = locals ? PyObject_GetItem(locals, s_self) : NULL;

    Py_XDECREF(locals);
    PyErr_Clear();
    return self;
}

/* True for an object of threading.Thread or below. */
static bool is_thread(PyObject *object) {
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    PyObject *threading = modules ? PyDict_GetItemString(modules, "threading") : NULL;
    PyObject *type = NULL;

    if (threading && PyModule_Check(threading))
        type = PyDict_GetItemString(PyModule_GetDict(threading), "Thread");
    return type && PyType_Check(type) && PyType_IsSubtype(Py_TYPE(object), (PyTypeObject *)type);
}

void thread_name_self(struct thread *thread, bool begins) {
    PyObject *self = begins ? first_self() : NULL;

    if (self && is_thread(self))
        read_thread(thread, self);
    else
        read_comm(thread);
    Py_XDECREF(self);
    PyErr_Clear();
}

void thread_name(struct thread *thread, PyObject *active) {
    PyObject *ident = PyLong_FromUnsignedLong(thread->ident);
    PyObject *object = ident && active ? PyDict_GetItemWithError(active, ident) : NULL;

    if (object)
        read_thread(thread, object);
    else if (!thread->named) /* a named one is about to end, and has left _active */
        read_comm(thread);
    Py_XDECREF(ident);
    PyErr_Clear();
}

int thread_name_init(void) {
    s_name = PyUnicode_InternFromString("_name");
    s_tid = PyUnicode_InternFromString("_native_id");
    s_threading = PyUnicode_InternFromString("threading");
    s_active = PyUnicode_InternFromString("_active");
    s_locals = PyUnicode_InternFromString("f_locals");
    s_self = PyUnicode_InternFromString("self");
    return s_name && s_tid && s_threading && s_active && s_locals && s_self ? 0 : -1;
}
