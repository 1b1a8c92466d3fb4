/* SPDX-License-Identifier: Apache-2.0
 *
 * An object may be entered again before it is left: by recursion, by other threads, and by tasks
 * and generators that take turns on one thread. Each entry has its own start time, which its exit
 * must find. A `with` statement enters and leaves in one frame, so the frame identifies the entry.
 *
 * Reading the frame makes CPython build an object for it, which costs more than everything else
 * here. So an entry that finds the object unused stores no frame. Entries that come meanwhile do,
 * and an exit that fits none of them belongs to the first.
 *
 * Code that enters and leaves in different frames (ExitStack, calls by hand) gets the right times
 * as long as the uses of one object do not overlap. If they do, their times may be swapped.
 */
#include "steps/step_type.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "python/arguments.h"
#include "python/compat.h"
#include "steps/step.h"

struct entry {
    const void *frame; /* only compared: alive while its `with` statement runs */
    struct step_start start;
};

struct step {
    PyObject_HEAD PyObject *name; /* owned, exactly a str */
    struct step_start first;      /* of the entry without a frame */
    bool first_on;                /* there is such an entry */
    uint32_t n_more, capacity;
    struct entry *more; /* owned: the other entries, in the order of their starts */
};

static PyTypeObject *s_type; /* written once, at import */

/* Without memory the entry is dropped: its exit may take the time of another one. */
static void add(struct step *self, const void *frame, const struct step_start *start) {
    if (self->n_more == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 4;
        struct entry *more = PyMem_Realloc(self->more, capacity * sizeof *more);

        if (!more)
            return;
        self->more = more;
        self->capacity = capacity;
    }
    self->more[self->n_more++] = (struct entry){frame, *start};
}

/* Take out the latest entry of `frame`, else the one without a frame, else the latest one. False:
 * there is none. */
static bool take(struct step *self, const void *frame, struct step_start *start) {
    uint32_t i = self->n_more;

    while (i > 0 && self->more[i - 1].frame != frame)
        i--;
    if (!i && self->first_on) {
        *start = self->first;
        self->first_on = false;
        return true;
    }
    if (!self->n_more)
        return false;
    if (!i)
        i = self->n_more;
    *start = self->more[i - 1].start;
    self->n_more--;
    for (; i <= self->n_more; i++)
        self->more[i - 1] = self->more[i];
    return true;
}

static PyObject *step_enter(PyObject *o, PyObject *unused) {
    struct step *self = (struct step *)o;
    struct step_start start = step_begin(self->name);
    compat_section section;

    (void)unused;
    compat_section_begin(&section, o);
    if (!self->first_on && !self->n_more) {
        self->first_on = true;
        self->first = start;
    } else {
        add(self, PyEval_GetFrame(), &start);
    }
    compat_section_end(&section);
    return Py_NewRef(o);
}

/* __exit__(type, value, traceback) */
static PyObject *step_exit(PyObject *o, PyObject *const *args, Py_ssize_t nargs) {
    struct step *self = (struct step *)o;
    struct step_start start;
    bool found;
    compat_section section;

    compat_section_begin(&section, o);
    found = take(self, self->n_more ? PyEval_GetFrame() : NULL, &start);
    compat_section_end(&section);
    if (found)
        step_end(self->name, &start, step_failed(nargs > 0 ? args[0] : NULL));
    return Py_NewRef(Py_False);
}

/* As a decorator: step(function). It is written in Python, for inspect and functools. */
static PyObject *step_decorate(PyObject *o, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"function", NULL};
    PyObject *function, *module, *decorated = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:step", names, &function))
        return NULL;
    module = PyImport_ImportModule("pyusdt.decorate");
    if (module)
        decorated = PyObject_CallMethod(module, "decorate", "OO", o, function);
    Py_XDECREF(module);
    return decorated;
}

static PyObject *new_step(PyObject *name) {
    struct step *self = (struct step *)PyType_GenericAlloc(s_type, 0);

    if (!self)
        return NULL;
    /* An instance of a subclass of str could run code when it dies, or refer to this object. */
    self->name = PyUnicode_FromObject(name);
    if (!self->name)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* _moved(): the entry of the calling frame goes to an object of its own, which others may leave. */
static PyObject *step_moved(PyObject *o, PyObject *unused) {
    struct step *self = (struct step *)o, *moved = (struct step *)new_step(self->name);
    compat_section section;

    (void)unused;
    if (!moved)
        return NULL;
    compat_section_begin(&section, o);
    moved->first_on = take(self, self->n_more ? PyEval_GetFrame() : NULL, &moved->first);
    compat_section_end(&section);
    return (PyObject *)moved;
}

static PyObject *step_reduced(PyObject *o, PyObject *unused) {
    (void)unused;
    return step_reduce("step", PyTuple_Pack(1, ((struct step *)o)->name));
}

static void step_dealloc(PyObject *o) {
    struct step *self = (struct step *)o;
    PyTypeObject *type = Py_TYPE(o);

    Py_XDECREF(self->name);
    PyMem_Free(self->more);
    PyObject_Free(o);
    Py_DECREF(type);
}

PyObject *step_type_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
                         PyObject *kwnames) {
    static const char *const names[] = {"name", NULL};
    static const struct parameters parameters = {"step", names};
    PyObject *values[] = {NULL};

    (void)module;
    if (arguments_read(&parameters, args, nargs, kwnames, values) < 0 ||
        arguments_check_name("step", values[0]) < 0)
        return NULL;
    return new_step(values[0]);
}

static PyMethodDef s_methods[] = {
    {"__enter__", step_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))step_exit, METH_FASTCALL, NULL},
    {"__reduce__", step_reduced, METH_NOARGS, NULL},
    {"_moved", step_moved, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef s_members[] = {
    {"name", Py_T_OBJECT_EX, offsetof(struct step, name), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot s_slots[] = {
    {Py_tp_dealloc, step_dealloc},
    {Py_tp_methods, s_methods},
    {Py_tp_members, s_members},
    {Py_tp_call, step_decorate},
    {Py_tp_doc, "A step with a name, as pyusdt.step(name) makes it: see there."},
    {0, NULL},
};

static PyType_Spec s_spec = {
    .name = "pyusdt.libpyusdt.Step",
    .basicsize = sizeof(struct step),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = s_slots,
};

int step_type_init(PyObject *module) {
    if (!s_type)
        s_type = (PyTypeObject *)PyType_FromSpec(&s_spec);
    return s_type ? PyModule_AddType(module, s_type) : -1;
}
