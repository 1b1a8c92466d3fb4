/* SPDX-License-Identifier: Apache-2.0 */
#include "python/callable.h"

#include <stddef.h>

static PyTypeObject *s_type; /* written once, at import */

static void callable_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMemberDef s_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct callable, call), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot s_slots[] = {
    {Py_tp_dealloc, callable_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, s_members},
    {Py_tp_doc, "A callback of pyusdt, which CPython calls."},
    {0, NULL},
};

static PyType_Spec s_spec = {
    .name = "pyusdt.libpyusdt.Callable",
    .basicsize = sizeof(struct callable),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = s_slots,
};

int callable_init(void) {
    if (!s_type)
        s_type = (PyTypeObject *)PyType_FromSpec(&s_spec);
    return s_type ? 0 : -1;
}

PyObject *callable_new(vectorcallfunc call, void *data) {
    struct callable *self = (struct callable *)PyType_GenericAlloc(s_type, 0);

    if (self) {
        self->call = call;
        self->data = data;
    }
    return (PyObject *)self;
}
