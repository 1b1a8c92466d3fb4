/* SPDX-License-Identifier: Apache-2.0
 *
 * From a code object to its code record: one hash lookup, once the code object is known. Code that
 * is made again and again, by exec or a reload, keeps its id. How it works: code.c.
 *
 * GIL held for everything here.
 */
#ifndef PYUSDT_CAPTURE_CODE_H
#define PYUSDT_CAPTURE_CODE_H

#include <Python.h>

#include "base/compiler.h"
#include "calltree/code_record.h"

struct code_slot {
    PyObject *code; /* borrowed: the weak reference reports when it dies */
    struct code_record *record;
    PyObject *watch; /* owned: the weak reference */
};

struct code_table {
    struct code_slot *slots;
    size_t mask; /* number of slots - 1, a power of two less one */
};
extern struct code_table code_table;

/* Code objects whose events were lost because no record could be made (out of memory). */
extern uint64_t code_lost;

/* `module` is pyusdt.libpyusdt. 0, or -1 with an exception set. */
int code_init(PyObject *module);

/* The record, made if needed; NULL if it cannot be made. Never leaves an exception. `code` must be
 * the code of the running frame: the module's name is read from that frame's globals. */
struct code_record *code_resolve(PyObject *code);

/* Code objects are at least 16-byte aligned; the multiplier is 2^64 / golden ratio. */
static inline size_t code_hash(const PyObject *code) {
    return (size_t)((((uintptr_t)code >> 4) * 0x9E3779B97F4A7C15u) >> 32);
}

/* Decide for all records again whether their lines are recorded: lined.h has new wishes. */
void code_decide_lines(void);

/* Whether it is a code object. */
bool code_is_code(PyObject *o);

/* Have the lines of `code`, of a function with these globals, recorded in every recording. 0, or -1
 * where it is no code object or has no record. */
int code_mark_lines(PyObject *code, PyObject *globals);

/* Whether any was ever marked. */
extern bool code_marked;

/* Call `visit` for each living code object that has a record. It may do anything. */
void code_each(void (*visit)(PyObject *code, struct code_record *record));

/* Call `visit` for each record. */
void code_each_record(void (*visit)(struct code_record *record, void *unused));

/* Called for each code object that gets a record, where that is lined. Written once, at import. */
extern void (*code_lined)(PyObject *code, struct code_record *record);

/* Called for each record that is made for a code object: never NULL. Written once, at import. */
extern void (*code_made)(const struct code_record *record);

/* The same for the code of a frame with these globals (borrowed; NULL: unknown). */
struct code_record *code_find_in(PyObject *code, PyObject *globals);

/* Fire code__new, if a tracer watches it, for every record that is not rejected. */
void code_replay(void);

/* Set the filters `only` and `exclude`: as in filter.h, checked, shorter than PYUSDT_FILTER_SIZE,
 * copied. Every record is decided again, and code__new fires for those that were rejected until
 * now. True if there are any: their sites may have been disabled. */
bool code_set_filters(const char *only, const char *exclude);

/* The record of a function that has no code object, with these names; NULL: out of memory. */
struct code_record *code_named(const char *module, const char *function, const char *qualname);

/* Set the recorder's filters: as in filter.h, checked, copied. If one is longer than a setting may
 * be, the recorder gets everything. */
void code_set_recorded(const char *only, const char *exclude);

/* code_lost. Any thread, no GIL. */
uint64_t code_losses(void);

/* As code_resolve(), but inline for code objects that are where their hash says. */
static inline struct code_record *code_find(PyObject *code) {
    const struct code_slot *slot = &code_table.slots[code_hash(code) & code_table.mask];

    if (LIKELY(slot->code == code))
        return slot->record;
    return code_resolve(code);
}

#endif
