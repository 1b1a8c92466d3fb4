/* SPDX-License-Identifier: Apache-2.0
 *
 * From a callable in C to a code record: for built-in functions and methods of built-in types, the
 * same that cProfile counts. As there, the PyMethodDef identifies the function: bound and unbound
 * methods share it.
 *
 * GIL held for everything here. Nothing leaves an exception set, but for c_call_init().
 */
#ifndef PYUSDT_CAPTURE_C_CALL_H
#define PYUSDT_CAPTURE_C_CALL_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "calltree/code_record.h"

/* The limited API hides both offsets. They have not changed since long before 3.12, and
 * c_call_init() verifies them. */
#define C_CALL_FUNCTION_DEF (sizeof(PyObject))
#define C_CALL_METHOD_DEF (sizeof(PyObject) + 3 * sizeof(void *))

/* 0, or -1 with an exception set. */
int c_call_init(void);

/* Each function by its PyMethodDef. One that was made at run time may be freed and another take its
 * address: the name's address then differs. */
struct c_call_slot {
    const PyMethodDef *def; /* borrowed, perhaps freed: only compared */
    const char *name;       /* the same */
    struct code_record *record;
};

struct c_call_table {
    struct c_call_slot *slots; /* at most half full; never forgets */
    size_t mask;
    PyTypeObject *method_type;
    /* Only compared: what was called last and is no function in C. A type at its address later is
     * none either: that type has no subtypes but CPython's own. */
    const PyTypeObject *other_type;
};
extern struct c_call_table c_call_table;

/* Whether this interpreter keeps the PyMethodDef where c_call.c expects it. */
extern bool c_call_works;

/* As c_call_find(). */
struct code_record *c_call_resolve(PyObject *callable);

static inline size_t c_call_hash(const PyMethodDef *def) {
    return (size_t)((((uintptr_t)def >> 3) * 0x9E3779B97F4A7C15u) >> 32);
}

static inline const PyMethodDef *c_call_def_at(PyObject *callable, size_t offset) {
    const PyMethodDef *def;

    memcpy(&def, (const char *)callable + offset, sizeof def);
    return def;
}

/* The record of a callable, made if needed. NULL: it is none of those, or there is no memory. */
static inline struct code_record *c_call_find(PyObject *callable) {
    const PyTypeObject *type = Py_TYPE(callable);
    const struct c_call_slot *slot;
    const PyMethodDef *def;

    if (type == c_call_table.method_type)
        def = c_call_def_at(callable, C_CALL_METHOD_DEF);
    else if (type == &PyCFunction_Type)
        def = c_call_def_at(callable, C_CALL_FUNCTION_DEF);
    else if (LIKELY(type == c_call_table.other_type))
        return NULL;
    else
        return c_call_resolve(callable);
    slot = &c_call_table.slots[c_call_hash(def) & c_call_table.mask];
    if (LIKELY(slot->def == def && slot->name == def->ml_name))
        return slot->record;
    return c_call_resolve(callable);
}

#endif
