/* SPDX-License-Identifier: Apache-2.0
 *
 * CPython calls audit hooks at what a process does to the world outside. A hook can never be
 * removed, so ours is added when it is first needed, and costs a test of one word while it is not.
 *
 * Threads. Interpreters with a GIL of their own call the hook at the same time, and a fork copies a
 * lock in any state, so the table has none: a slot gets its name once, by an atomic exchange, and a
 * count only grows.
 *
 * The hook never makes an event fail: it returns 0 and leaves no exception.
 */
#include "control/audit.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/thread.h"
#include "python/compat.h"
#include "python/text.h"

enum { NAME_SIZE = 1024, COUNTING = 1, WAITING = 2 };

typedef int (*hook_function)(const char *event, PyObject *args, void *data);

static struct {
    _Atomic(char *) name; /* owned, for ever; NULL: the table ends here */
    _Atomic uint64_t count;
} s_started[AUDIT_NAMES];

static _Atomic int s_wanted; /* bits: COUNTING, WAITING */
static bool s_added;         /* written under the GIL */
static PyObject *s_callback; /* owned, with WAITING; written under the GIL */
/* The program that the thread has just counted and is about to start, or "", and the event that is
 * of the same start. */
static _Thread_local char t_counted[NAME_SIZE];
static _Thread_local const char *t_to_come;

static void add(const char *name) {
    for (int i = 0; i < AUDIT_NAMES; i++) {
        char *known = atomic_load(&s_started[i].name), *copy;

        if (!known) {
            copy = strdup(i == AUDIT_NAMES - 1 ? "(others)" : name);
            if (!copy)
                return;
            if (atomic_compare_exchange_strong(&s_started[i].name, &known, copy))
                known = copy;
            else
                free(copy);
        }
        if (i == AUDIT_NAMES - 1 || !strcmp(known, name)) {
            atomic_fetch_add(&s_started[i].count, 1);
            return;
        }
    }
}

/* Whether it is of pathlib, whose __fspath__ is no code of the program's. */
static bool is_path(PyObject *program) {
    PyObject *module = PyObject_GetAttrString((PyObject *)Py_TYPE(program), "__module__");
    char name[16];

    text_name(module, name, sizeof name);
    Py_XDECREF(module);
    PyErr_Clear();
    return !strncmp(name, "pathlib", 7);
}

/* The text of a str, bytes or path; "?" for what is none of these. No exception set on entry. */
static void read_program(PyObject *program, char name[NAME_SIZE]) {
    PyObject *path = NULL, *str = NULL;

    if (is_path(program)) {
        thread_hide(true);
        path = PyOS_FSPath(program);
        thread_hide(false);
        program = path;
    }
    if (program && PyBytes_CheckExact(program))
        str = PyUnicode_DecodeFSDefaultAndSize(PyBytes_AsString(program), PyBytes_Size(program));
    text_name(str ? str : program, name, NAME_SIZE);
    Py_XDECREF(str);
    Py_XDECREF(path);
    PyErr_Clear();
}

static void counted(const char *name, const char *to_come) {
    snprintf(t_counted, sizeof t_counted, "%s", name);
    t_to_come = to_come;
}

/* subprocess may go on to os.posix_spawn, which is the same start. os.exec* tries each directory of
 * PATH. */
static void count(const char *event, PyObject *program) {
    char name[NAME_SIZE];
    bool repeated;

    if (!strcmp(event, "os.system"))
        snprintf(name, sizeof name, "/bin/sh");
    else
        read_program(program, name);
    repeated = t_to_come && !strcmp(event, t_to_come) && !strcmp(name, t_counted);
    t_to_come = NULL;
    if (!strcmp(event, "subprocess.Popen"))
        counted(name, "os.posix_spawn");
    if (!repeated && !(!strcmp(event, "os.exec") && access(name, X_OK) != 0))
        add(name);
}

void audit_exec_begins(PyObject *program) {
    char name[NAME_SIZE];

    if (!(atomic_load(&s_wanted) & COUNTING))
        return;
    read_program(program, name);
    if (access(name, X_OK) != 0)
        return;
    add(name);
    counted(name, "os.exec");
}

static void come_to_program(void) {
    PyObject *callback = s_callback, *result;

    s_callback = NULL;
    atomic_fetch_and(&s_wanted, ~WAITING);
    result = callback ? PyObject_CallNoArgs(callback) : NULL;
    Py_XDECREF(callback);
    Py_XDECREF(result);
}

static bool is_start(const char *event) {
    return !strcmp(event, "subprocess.Popen") || !strcmp(event, "os.exec") ||
           !strcmp(event, "os.posix_spawn") || !strcmp(event, "os.system");
}

static int hook(const char *event, PyObject *args, void *unused) {
    int wanted = atomic_load_explicit(&s_wanted, memory_order_relaxed);
    PyObject *error;

    (void)unused;
    if (!wanted || !args)
        return 0;
    if (wanted & COUNTING && is_start(event) && PyTuple_Size(args) > 0) {
        error = PyErr_GetRaisedException();
        count(event, PyTuple_GetItem(args, 0));
        PyErr_Clear();
        PyErr_SetRaisedException(error);
    }
    if (wanted & WAITING && !strncmp(event, "cpython.run_", 12) &&
        PyInterpreterState_GetID(PyInterpreterState_Get()) == 0) {
        error = PyErr_GetRaisedException();
        come_to_program();
        PyErr_Clear();
        PyErr_SetRaisedException(error);
    }
    return 0;
}

/* It is not in the limited API, but every CPython has it. */
static bool add_hook(void) {
    int (*add_it)(hook_function, void *);

    if (s_added)
        return true;
    *(void **)&add_it = dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    s_added = add_it && add_it(hook, NULL) == 0;
    PyErr_Clear(); /* another hook may refuse it */
    return s_added;
}

void audit_count(bool on) {
    if (on && add_hook())
        atomic_fetch_or(&s_wanted, COUNTING);
    else
        atomic_fetch_and(&s_wanted, ~COUNTING);
}

PyObject *audit_started(void) {
    PyObject *list = PyList_New(0);

    for (int i = 0; list && i < AUDIT_NAMES; i++) {
        const char *name = atomic_load(&s_started[i].name);
        uint64_t n = atomic_load(&s_started[i].count);
        PyObject *row = name && n ? Py_BuildValue("(sK)", name, (unsigned long long)n) : NULL;

        if (!name || PyErr_Occurred() || (row && PyList_Append(list, row) < 0)) {
            Py_XDECREF(row);
            break;
        }
        Py_XDECREF(row);
    }
    if (PyErr_Occurred())
        Py_CLEAR(list);
    return list;
}

int audit_pieces(struct part_piece pieces[2 * AUDIT_NAMES], uint64_t counts[AUDIT_NAMES]) {
    int n = 0;

    for (int i = 0; i < AUDIT_NAMES; i++) {
        const char *name = atomic_load(&s_started[i].name);

        counts[i] = atomic_load(&s_started[i].count);
        if (!name)
            break;
        if (!counts[i])
            continue;
        pieces[n++] = (struct part_piece){&counts[i], sizeof counts[i]};
        pieces[n++] = (struct part_piece){name, strlen(name) + 1};
    }
    return n;
}

int audit_at_program(PyObject *callback) {
    PyObject *result;
    bool early = compat_site_runs();

    PyErr_Clear();
    if (early && add_hook()) {
        Py_XDECREF(s_callback);
        s_callback = Py_NewRef(callback);
        atomic_fetch_or(&s_wanted, WAITING);
        return 0;
    }
    result = PyObject_CallNoArgs(callback);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

void audit_postfork_child(void) {
    for (int i = 0; i < AUDIT_NAMES; i++)
        atomic_store(&s_started[i].count, 0);
}
