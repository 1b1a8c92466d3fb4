/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/c_call.h"

#include <stdlib.h>
#include <string.h>

#include "capture/code.h"
#include "python/text.h"

enum { NAME_SIZE = 256, FIRST_SLOTS = 256, LAST_SLOTS = 1 << 16 };

/* Written under the GIL. */
bool c_call_works;
struct c_call_table c_call_table;
static size_t s_used;

static struct c_call_slot *slot_of(struct c_call_slot *slots, size_t mask, const PyMethodDef *def) {
    size_t i = c_call_hash(def) & mask;

    while (slots[i].def && slots[i].def != def)
        i = (i + 1) & mask;
    return &slots[i];
}

static int grow(void) {
    size_t mask = c_call_table.mask * 2 + 1;
    struct c_call_slot *slots = mask < LAST_SLOTS ? calloc(mask + 1, sizeof *slots) : NULL;

    if (!slots)
        return -1;
    for (size_t i = 0; i <= c_call_table.mask; i++)
        if (c_call_table.slots[i].def)
            *slot_of(slots, mask, c_call_table.slots[i].def) = c_call_table.slots[i];
    free(c_call_table.slots);
    c_call_table.slots = slots;
    c_call_table.mask = mask;
    return 0;
}

static struct code_record *make_record(PyObject *callable) {
    char module[NAME_SIZE], qualname[NAME_SIZE];
    const char *dot;

    if (!text_c_callable(callable, module, qualname, NAME_SIZE))
        return NULL;
    dot = strrchr(qualname, '.');
    return code_named(module, dot ? dot + 1 : qualname, qualname);
}

static struct code_record *insert(PyObject *callable, const PyMethodDef *def) {
    struct code_record *record;
    struct c_call_slot *slot;

    if (s_used * 2 > c_call_table.mask && grow() < 0)
        return NULL;
    record = make_record(callable);
    if (!record)
        return NULL;
    slot = slot_of(c_call_table.slots, c_call_table.mask, def);
    if (!slot->def)
        s_used++;
    *slot = (struct c_call_slot){def, def->ml_name, record};
    return record;
}

struct code_record *c_call_resolve(PyObject *callable) {
    const struct c_call_slot *slot;
    const PyMethodDef *def;

    if (Py_TYPE(callable) == c_call_table.method_type) {
        def = c_call_def_at(callable, C_CALL_METHOD_DEF);
    } else if (PyCFunction_Check(callable)) {
        def = c_call_def_at(callable, C_CALL_FUNCTION_DEF);
    } else {
        c_call_table.other_type = Py_TYPE(callable);
        return NULL;
    }
    if (!def)
        return NULL; /* never seen */
    slot = slot_of(c_call_table.slots, c_call_table.mask, def);
    if (slot->def == def && slot->name == def->ml_name)
        return slot->record;
    return insert(callable, def);
}

static PyObject *nothing(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    Py_RETURN_NONE;
}

/* 0, or -1 with an exception set. */
static int try_out(void) {
    static PyMethodDef s_def = {"nothing", nothing, METH_NOARGS, NULL};
    PyObject *function = PyCFunction_New(&s_def, NULL);
    PyObject *method = PyDescr_NewMethod(&PyList_Type, &s_def);

    if (function && method) {
        c_call_table.method_type = Py_TYPE(method);
        c_call_works = c_call_def_at(function, C_CALL_FUNCTION_DEF) == &s_def &&
                       c_call_def_at(method, C_CALL_METHOD_DEF) == &s_def;
    }
    Py_XDECREF(function);
    Py_XDECREF(method);
    return function && method ? 0 : -1;
}

int c_call_init(void) {
    c_call_table.slots = calloc(FIRST_SLOTS, sizeof *c_call_table.slots);
    c_call_table.mask = FIRST_SLOTS - 1;
    if (!c_call_table.slots) {
        PyErr_NoMemory();
        return -1;
    }
    return try_out();
}
