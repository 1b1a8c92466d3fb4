/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/c_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "capture/code.h"
#include "python/text.h"

enum { NAME_SIZE = 256, FIRST_SLOTS = 256, LAST_SLOTS = 1 << 16 };

/* The limited API hides both offsets. They have not changed since long before 3.12, and
 * c_call_init() verifies them. */
#define FUNCTION_DEF (sizeof(PyObject))
#define METHOD_DEF (sizeof(PyObject) + 3 * sizeof(void *))

/* A method made at run time may be freed and another take its address: the name's address then
 * differs. */
struct c_call_slot {
    const PyMethodDef *def; /* borrowed, perhaps freed: only compared */
    const char *name;       /* the same */
    struct code_record *record;
};

/* Written under the GIL. */
bool c_call_works;
static PyTypeObject *s_method_type;
static struct c_call_slot *s_slots; /* at most half full; never forgets */
static size_t s_mask, s_used;

static const PyMethodDef *def_at(PyObject *callable, size_t offset) {
    const PyMethodDef *def;

    memcpy(&def, (const char *)callable + offset, sizeof def);
    return def;
}

static inline const PyMethodDef *def_of(PyObject *callable) {
    if (PyCFunction_Check(callable))
        return def_at(callable, FUNCTION_DEF);
    return Py_TYPE(callable) == s_method_type ? def_at(callable, METHOD_DEF) : NULL;
}

static size_t home(const PyMethodDef *def) {
    return (size_t)((((uintptr_t)def >> 3) * 0x9E3779B97F4A7C15u) >> 32);
}

static struct c_call_slot *slot_of(struct c_call_slot *slots, size_t mask, const PyMethodDef *def) {
    size_t i = home(def) & mask;

    while (slots[i].def && slots[i].def != def)
        i = (i + 1) & mask;
    return &slots[i];
}

static int grow(void) {
    size_t mask = s_mask * 2 + 1;
    struct c_call_slot *slots = mask < LAST_SLOTS ? calloc(mask + 1, sizeof *slots) : NULL;

    if (!slots)
        return -1;
    for (size_t i = 0; i <= s_mask; i++)
        if (s_slots[i].def)
            *slot_of(slots, mask, s_slots[i].def) = s_slots[i];
    free(s_slots);
    s_slots = slots;
    s_mask = mask;
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

static NOINLINE struct code_record *insert(PyObject *callable, const PyMethodDef *def) {
    struct code_record *record;
    struct c_call_slot *slot;

    if (s_used * 2 > s_mask && grow() < 0)
        return NULL;
    record = make_record(callable);
    if (!record)
        return NULL;
    slot = slot_of(s_slots, s_mask, def);
    if (!slot->def)
        s_used++;
    *slot = (struct c_call_slot){def, def->ml_name, record};
    return record;
}

struct code_record *c_call_find(PyObject *callable) {
    const PyMethodDef *def = def_of(callable);
    const struct c_call_slot *slot;

    if (!def)
        return NULL;
    slot = slot_of(s_slots, s_mask, def);
    if (LIKELY(slot->def == def && slot->name == def->ml_name))
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
        s_method_type = Py_TYPE(method);
        c_call_works =
            def_at(function, FUNCTION_DEF) == &s_def && def_at(method, METHOD_DEF) == &s_def;
    }
    Py_XDECREF(function);
    Py_XDECREF(method);
    return function && method ? 0 : -1;
}

int c_call_init(void) {
    s_slots = calloc(FIRST_SLOTS, sizeof *s_slots);
    s_mask = FIRST_SLOTS - 1;
    if (!s_slots) {
        PyErr_NoMemory();
        return -1;
    }
    return try_out();
}
