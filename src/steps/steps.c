/* SPDX-License-Identifier: Apache-2.0
 *
 * A step lasts from the return of an item to the request of the next one, or until the loop drops
 * the iterator, which CPython does at once on break, return and exceptions.
 */
#include "steps/steps.h"

#include <stdbool.h>
#include <stdint.h>

#include "python/arguments.h"
#include "steps/step.h"

/* Threads that share one iterator also share its step: their times mix. */
struct steps {
    PyObject_HEAD PyObject *iterator; /* owned, the user's; NULL once cleared */
    PyObject *sized;                  /* owned, what has the length; NULL: nothing has one */
    PyObject *name;                   /* owned, exactly a str */
    struct step_start start;
    bool running;
};

/* Written once, at import. An object has a length only if its iterable has one. */
static PyTypeObject *s_type, *s_sized_type;

static void end(struct steps *self, bool failed) {
    if (self->running) {
        self->running = false;
        step_end(self->name, &self->start, failed);
    }
}

static PyObject *steps_next(PyObject *o) {
    struct steps *self = (struct steps *)o;
    PyObject *item;

    end(self, false);
    item = self->iterator ? PyIter_Next(self->iterator) : NULL;
    if (item) {
        self->start = step_begin(self->name);
        self->running = true;
    }
    return item;
}

static int steps_traverse(PyObject *o, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(o));
    Py_VISIT(((struct steps *)o)->iterator);
    Py_VISIT(((struct steps *)o)->sized);
    return 0;
}

static int steps_clear(PyObject *o) {
    Py_CLEAR(((struct steps *)o)->iterator);
    Py_CLEAR(((struct steps *)o)->sized);
    return 0;
}

/* An exception in flight is the one that ended the loop. */
static void steps_dealloc(PyObject *o) {
    struct steps *self = (struct steps *)o;
    PyTypeObject *type = Py_TYPE(o);
    PyObject *error = PyErr_GetRaisedException();

    PyObject_GC_UnTrack(o);
    end(self, step_failed(error));
    PyErr_SetRaisedException(error);
    steps_clear(o);
    Py_XDECREF(self->name);
    PyObject_GC_Del(o);
    Py_DECREF(type);
}

/* That of the iterable, for progress bars: it does not count down. */
static Py_ssize_t steps_length(PyObject *o) {
    PyObject *sized = ((struct steps *)o)->sized;

    return sized ? PyObject_Size(sized) : 0;
}

/* How many are left, where the iterator knows. */
static PyObject *steps_hint(PyObject *o, PyObject *unused) {
    PyObject *iterator = ((struct steps *)o)->iterator;
    PyObject *hint =
        iterator ? PyObject_CallMethod(iterator, "__length_hint__", NULL) : PyLong_FromLong(0);

    (void)unused;
    if (hint || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return hint;
    PyErr_Clear();
    return Py_NewRef(Py_NotImplemented);
}

/* The items that are left, if the iterator can be pickled. */
static PyObject *steps_reduced(PyObject *o, PyObject *unused) {
    struct steps *self = (struct steps *)o;

    (void)unused;
    return step_reduce(
        "steps", Py_BuildValue("(OO)", self->iterator ? self->iterator : Py_None, self->name));
}

static bool is_sized(PyObject *iterable) {
    PyTypeObject *type = Py_TYPE(iterable);

    return PyType_GetSlot(type, Py_sq_length) || PyType_GetSlot(type, Py_mp_length);
}

/* Whether it has __aiter__ and no __iter__, as `async for` needs it. */
static bool is_async(PyObject *iterable) {
    PyTypeObject *type = Py_TYPE(iterable);

    return PyType_GetSlot(type, Py_am_aiter) && !PyType_GetSlot(type, Py_tp_iter);
}

static PyObject *async_steps(PyObject *iterable, PyObject *name) {
    PyObject *module = PyImport_ImportModule("pyusdt._steps"), *made = NULL;

    if (module)
        made = PyObject_CallMethod(module, "async_steps", "OO", iterable, name);
    Py_XDECREF(module);
    return made;
}

static PyObject *steps_new(PyObject *iterable, PyObject *name) {
    bool sized = is_sized(iterable);
    struct steps *self = (struct steps *)PyType_GenericAlloc(sized ? s_sized_type : s_type, 0);

    if (!self)
        return NULL;
    self->name = PyUnicode_FromObject(name); /* see step_type_call */
    self->iterator = self->name ? PyObject_GetIter(iterable) : NULL;
    if (!self->iterator)
        Py_CLEAR(self);
    else if (sized)
        self->sized = Py_NewRef(iterable);
    return (PyObject *)self;
}

PyObject *steps_call(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"iterable", "name", NULL};
    PyObject *iterable, *name;

    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:steps", names, &iterable, &name) ||
        arguments_check_name("steps", name) < 0)
        return NULL;
    return is_async(iterable) ? async_steps(iterable, name) : steps_new(iterable, name);
}

static PyMethodDef s_methods[] = {
    {"__length_hint__", steps_hint, METH_NOARGS, NULL},
    {"__reduce__", steps_reduced, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* The last one is of the type with a length only. */
static PyType_Slot s_slots[] = {
    {Py_tp_dealloc, steps_dealloc},
    {Py_tp_traverse, steps_traverse},
    {Py_tp_clear, steps_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, steps_next},
    {Py_tp_methods, s_methods},
    {Py_tp_doc, "The iterator that pyusdt.steps(iterable, name) returns: see there."},
    {Py_sq_length, steps_length},
    {0, NULL},
};

enum { LENGTH_SLOT = sizeof s_slots / sizeof *s_slots - 2 };

static PyType_Spec s_spec = {
    .name = "pyusdt.libpyusdt.Steps",
    .basicsize = sizeof(struct steps),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = s_slots,
};

int steps_init(void) {
    if (s_type)
        return 0;
    s_sized_type = (PyTypeObject *)PyType_FromSpec(&s_spec);
    s_slots[LENGTH_SLOT] = (PyType_Slot){0, NULL};
    s_type = s_sized_type ? (PyTypeObject *)PyType_FromSpec(&s_spec) : NULL;
    return s_type ? 0 : -1;
}
