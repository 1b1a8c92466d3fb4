/* SPDX-License-Identifier: Apache-2.0 */
#include "module_record.h"

#include <stdlib.h>

#include "base/filter.h"
#include "capture/thread.h"
#include "control/autosave.h"
#include "control/recorder.h"
#include "control/snapshot.h"
#include "pyusdt_control.h"

static PyObject *core_record(PyObject *module, PyObject *args) {
    struct recorder_options options;
    long long max_nodes;
    char why[PYUSDT_MESSAGE_SIZE];
    int c_calls;

    (void)module;
    if (!PyArg_ParseTuple(args, "pLss", &c_calls, &max_nodes, &options.only, &options.exclude))
        return NULL;
    if (filter_check(options.only, why, sizeof why) < 0 ||
        filter_check(options.exclude, why, sizeof why) < 0) {
        PyErr_Format(PyExc_ValueError, "only or exclude %s", why);
        return NULL;
    }
    options.c_calls = c_calls;
    options.max_nodes = max_nodes;
    return PyBool_FromLong(recorder_start(RECORDER_INSIDE, &options) == 0);
}

static PyObject *core_record_stop(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    recorder_stop(RECORDER_INSIDE);
    Py_RETURN_NONE;
}

static PyObject *core_recorded(PyObject *module, PyObject *unused) {
    size_t size;
    char *counts = snapshot_take(&size);
    PyObject *bytes = counts ? PyBytes_FromStringAndSize(counts, (Py_ssize_t)size) : NULL;

    (void)module, (void)unused;
    if (!counts)
        PyErr_NoMemory();
    free(counts);
    return bytes;
}

static PyObject *core_flush(PyObject *module, PyObject *args) {
    PyObject *callback;
    double seconds;

    (void)module;
    if (!PyArg_ParseTuple(args, "Od", &callback, &seconds))
        return NULL;
    autosave_set(callback, seconds);
    Py_RETURN_NONE;
}

static PyObject *core_hide(PyObject *module, PyObject *hidden) {
    (void)module;
    thread_hide(hidden == Py_True);
    Py_RETURN_NONE;
}

static PyMethodDef s_methods[] = {
    {"record", core_record, METH_VARARGS,
     "record(c_calls, max_nodes, only, exclude)\n--\n\nStart to record, or go on with these "
     "options.\nReturn False if events cannot be enabled."},
    {"record_stop", core_record_stop, METH_NOARGS, "record_stop()\n--\n\nStop recording."},
    {"recorded", core_recorded, METH_NOARGS,
     "recorded()\n--\n\nReturn the counts, in the layout of include/pyusdt_counts.h."},
    {"flush", core_flush, METH_VARARGS,
     "flush(callback, seconds)\n--\n\nHave the watcher call callback(0) every `seconds` (0: "
     "never),\nand callback(signal) before SIGTERM or SIGHUP ends the process. None: stop that."},
    {"hide", core_hide, METH_O,
     "hide(hidden)\n--\n\nHide this thread from all readers, or show it again."},
    {NULL, NULL, 0, NULL},
};

int module_record_add(PyObject *module) {
    return PyModule_AddFunctions(module, s_methods);
}
