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
    PyObject *name;                   /* owned, exactly a str */
    uint64_t start;                   /* ticks */
    bool running;
};

static PyTypeObject *s_type; /* written once, at import */

static void end(struct steps *self, bool failed) {
    if (self->running) {
        self->running = false;
        step_end(self->name, self->start, failed);
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
    return 0;
}

static int steps_clear(PyObject *o) {
    Py_CLEAR(((struct steps *)o)->iterator);
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

/* Whether it has __aiter__ and no __iter__, as `async for` needs it. */
static bool is_async(PyObject *iterable) {
    PyTypeObject *type = Py_TYPE(iterable);

    return PyType_GetSlot(type, Py_am_aiter) && !PyType_GetSlot(type, Py_tp_iter);
}

static PyObject *async_steps(PyObject *iterable, PyObject *name) {
    PyObject *module = PyImport_ImportModule("pyusdt._steps"), *made = NULL;

    if (module)
        made = PyObject_CallMethod(module, "AsyncSteps", "OO", iterable, name);
    Py_XDECREF(module);
    return made;
}

static PyObject *steps_new(PyObject *iterable, PyObject *name) {
    struct steps *self = (struct steps *)PyType_GenericAlloc(s_type, 0);

    if (!self)
        return NULL;
    self->name = PyUnicode_FromObject(name); /* see step_type_call */
    self->iterator = self->name ? PyObject_GetIter(iterable) : NULL;
    if (!self->iterator)
        Py_CLEAR(self);
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

static PyType_Slot s_slots[] = {
    {Py_tp_dealloc, steps_dealloc},
    {Py_tp_traverse, steps_traverse},
    {Py_tp_clear, steps_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, steps_next},
    {Py_tp_doc, "The iterator that pyusdt.steps(iterable, name) returns: see there."},
    {0, NULL},
};

static PyType_Spec s_spec = {
    .name = "pyusdt.libpyusdt.Steps",
    .basicsize = sizeof(struct steps),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = s_slots,
};

int steps_init(void) {
    if (!s_type)
        s_type = (PyTypeObject *)PyType_FromSpec(&s_spec);
    return s_type ? 0 : -1;
}
