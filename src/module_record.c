/* SPDX-License-Identifier: Apache-2.0 */
#define PY_SSIZE_T_CLEAN
#include "module_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/filter.h"
#include "calltree/code_store.h"
#include "capture/code.h"
#include "capture/thread.h"
#include "control/audit.h"
#include "control/endings.h"
#include "control/recorder.h"
#include "control/sampler.h"
#include "control/save.h"
#include "control/snapshot.h"
#include "control/watcher.h"
#include "memory/account.h"
#include "memory/memory.h"
#include "python/gil_futex.h"
#include "pyusdt_control.h"

static PyObject *core_record(PyObject *module, PyObject *args) {
    struct recorder_options options = {.times = PYUSDT_TIMES_EXACT};
    long long max_nodes;
    char why[PYUSDT_MESSAGE_SIZE];
    int c_calls, sampled, of_program, memory;

    (void)module;
    if (!PyArg_ParseTuple(args, "ppLssspi", &c_calls, &sampled, &max_nodes, &options.only,
                          &options.exclude, &options.lines, &of_program, &memory))
        return NULL;
    if (filter_check(options.only, why, sizeof why) < 0 ||
        filter_check(options.exclude, why, sizeof why) < 0 ||
        filter_check(options.lines, why, sizeof why) < 0) {
        PyErr_Format(PyExc_ValueError, "only, exclude or lines %s", why);
        return NULL;
    }
    if (memory < 0 || memory > PYUSDT_MEMORY_BITS) {
        PyErr_SetString(PyExc_ValueError, "memory is none of the kinds");
        return NULL;
    }
    options.memory = (uint32_t)memory;
    options.c_calls = c_calls;
    options.lines_of_program = of_program;
    options.times = sampled ? PYUSDT_TIMES_SAMPLED : PYUSDT_TIMES_EXACT;
    options.max_nodes = max_nodes;
    if (recorder_start(RECORDER_INSIDE, &options) < 0)
        Py_RETURN_FALSE;
    Py_BEGIN_ALLOW_THREADS;
    memory_attend();
    Py_END_ALLOW_THREADS;
    watcher_kick(); /* the sampler is to begin */
    if (sampler_works())
        gil_futex_find();
    Py_RETURN_TRUE;
}

static PyObject *core_lines_mark(PyObject *module, PyObject *args) {
    PyObject *code, *globals;

    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &code, &globals))
        return NULL;
    if (!code_is_code(code)) {
        PyErr_SetString(PyExc_TypeError, "lines_mark() wants a code object");
        return NULL;
    }
    if (code_mark_lines(code, globals) == 0)
        recorder_lines_marked();
    Py_RETURN_NONE;
}

static void add_file(struct code_record *record, void *set) {
    PyObject *file = NULL;

    if (record->n_lines > 0)
        file = PyUnicode_DecodeUTF8(record->file, (Py_ssize_t)strlen(record->file),
                                    "backslashreplace");
    if (file && PySet_Add(set, file) < 0)
        Py_CLEAR(file);
    Py_XDECREF(file);
    PyErr_Clear(); /* without memory, it is not among them */
}

static PyObject *core_lined_files(PyObject *module, PyObject *unused) {
    PyObject *set = PySet_New(NULL);

    (void)module, (void)unused;
    if (set)
        code_store_each(add_file, set);
    return set;
}

static PyObject *core_record_stop(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    recorder_stop(RECORDER_INSIDE);
    watcher_kick(); /* the sampler is to end */
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

static PyObject *core_allocated(PyObject *module, PyObject *unused) {
    struct account_totals totals;

    (void)module, (void)unused;
    account_totals(&totals);
    return Py_BuildValue("KKKK", (unsigned long long)totals.bytes,
                         (unsigned long long)totals.blocks, (unsigned long long)totals.peak_bytes,
                         (unsigned long long)totals.peak_blocks);
}

/* None, or an OSError set. */
static PyObject *none_or(int error) {
    if (!error)
        Py_RETURN_NONE;
    errno = error;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *core_save_begin(PyObject *module, PyObject *args) {
    struct save_options options;
    unsigned long long device, inode;
    Py_ssize_t base_size, before_size;
    unsigned ordinal;
    double flush;
    int number;

    (void)module;
    if (!PyArg_ParseTuple(args, "IyKKsy#y#d", &ordinal, &options.directory, &device, &inode,
                          &options.about, &options.base, &base_size, &options.before, &before_size,
                          &flush))
        return NULL;
    options.ordinal = ordinal;
    options.device = (dev_t)device;
    options.inode = (ino_t)inode;
    options.base_size = (size_t)base_size;
    options.before_size = (size_t)before_size;
    options.flush_ns = (uint64_t)(flush * 1e9);
    number = save_begin(&options);
    if (number < 0)
        return none_or(errno);
    watcher_follow_saves();
    return PyLong_FromLong(number);
}

static PyObject *core_save_end(PyObject *module, PyObject *args) {
    PyObject *result = NULL;
    char *counts = NULL;
    const char *why;
    size_t size = 0;
    int number, wanted, error;

    (void)module;
    if (!PyArg_ParseTuple(args, "izp", &number, &why, &wanted))
        return NULL;
    error = save_end(number, why, wanted ? &counts : NULL, &size);
    watcher_follow_saves();
    if (error || !counts)
        result = none_or(error);
    else
        result = PyBytes_FromStringAndSize(counts, (Py_ssize_t)size);
    free(counts);
    return result;
}

static PyObject *core_save_all(PyObject *module, PyObject *args) {
    const char *why;

    (void)module;
    if (!PyArg_ParseTuple(args, "s", &why))
        return NULL;
    return none_or(save_all(why));
}

static PyObject *core_on_ending(PyObject *module, PyObject *callback) {
    (void)module;
    endings_set(callback);
    Py_RETURN_NONE;
}

static PyObject *core_hold(PyObject *module, PyObject *on) {
    (void)module;
    endings_hold(on == Py_True);
    Py_RETURN_NONE;
}

static PyObject *core_held(PyObject *module, PyObject *args) {
    PyObject *callback, *argument, *result;

    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &callback, &argument))
        return NULL;
    endings_hold(true);
    result = PyObject_CallFunctionObjArgs(callback, argument, NULL);
    endings_hold(false);
    return result;
}

static PyObject *core_hide(PyObject *module, PyObject *hidden) {
    (void)module;
    thread_hide(hidden == Py_True);
    Py_RETURN_NONE;
}

static PyObject *core_at_program(PyObject *module, PyObject *callback) {
    (void)module;
    if (audit_at_program(callback) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *core_count_started(PyObject *module, PyObject *on) {
    (void)module;
    audit_count(on == Py_True);
    Py_RETURN_NONE;
}

static PyObject *core_exec_begins(PyObject *module, PyObject *program) {
    (void)module;
    audit_exec_begins(program);
    Py_RETURN_NONE;
}

static PyObject *core_started(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return audit_started();
}

static PyMethodDef s_methods[] = {
    {"record", core_record, METH_VARARGS,
     "record(c_calls, sampled, max_nodes, only, exclude, lines, of_program, memory)\n--\n\n"
     "Start to record, or go on with these options.\nReturn False if events cannot be enabled."},
    {"lines_mark", core_lines_mark, METH_VARARGS,
     "lines_mark(code, globals)\n--\n\nHave every recording record the lines of this code object, "
     "of a\nfunction with these globals."},
    {"lined_files", core_lined_files, METH_NOARGS,
     "lined_files()\n--\n\nReturn the files of the functions whose lines are, or were, recorded."},
    {"record_stop", core_record_stop, METH_NOARGS, "record_stop()\n--\n\nStop recording."},
    {"recorded", core_recorded, METH_NOARGS,
     "recorded()\n--\n\nReturn the counts, in the layout of include/pyusdt_counts.h."},
    {"allocated", core_allocated, METH_NOARGS,
     "allocated()\n--\n\nReturn the bytes and blocks that are alive of what was allocated since "
     "memory\nis recorded, and those at the peak."},
    {"save_begin", core_save_begin, METH_VARARGS,
     "save_begin(ordinal, directory, device, inode, about, base, before, flush)\n--\n\n"
     "Save what is recorded to a part in this directory, every `flush` seconds (0: at the end "
     "only)."
     "\nReturn the save's number."},
    {"save_end", core_save_end, METH_VARARGS,
     "save_end(number, why, wanted)\n--\n\nWrite the save whole, and why it ended; None: drop it.\n"
     "Return the counts, if wanted, else None."},
    {"save_all", core_save_all, METH_VARARGS,
     "save_all(why)\n--\n\nWrite all saves whole, and why; they go on."},
    {"on_ending", core_on_ending, METH_O,
     "on_ending(callback)\n--\n\nHave callback(name) called once all is saved, before that signal "
     "ends the process."},
    {"hold", core_hold, METH_O,
     "hold(on)\n--\n\nHave signals whose handlers may raise an exception wait, or no longer."},
    {"held", core_held, METH_VARARGS,
     "held(callback, argument)\n--\n\nCall it while such signals wait."},
    {"hide", core_hide, METH_O,
     "hide(hidden)\n--\n\nHide this thread from all readers, or show it again."},
    {"at_program", core_at_program, METH_O,
     "at_program(callback)\n--\n\nCall it when site is done and Python comes to the program; at "
     "once\nif site does not run."},
    {"count_started", core_count_started, METH_O,
     "count_started(on)\n--\n\nCount the programs that this process starts, or cease to."},
    {"exec_begins", core_exec_begins, METH_O,
     "exec_begins(program)\n--\n\nCount a program that is about to take this one's place."},
    {"started", core_started, METH_NOARGS,
     "started()\n--\n\nReturn the programs that this process has started: a list of (name, "
     "count)."},
    {NULL, NULL, 0, NULL},
};

int module_record_add(PyObject *module) {
    return PyModule_AddFunctions(module, s_methods);
}
