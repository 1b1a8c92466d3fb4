/* SPDX-License-Identifier: Apache-2.0
 *
 * A code record: the data that we keep about a code object. No Python.h, so that the call tree can
 * be tested without an interpreter.
 */
#ifndef PYUSDT_CALLTREE_CODE_RECORD_H
#define PYUSDT_CALLTREE_CODE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/* Code objects with equal names, file and line share one record. Strings are UTF-8, NUL-terminated,
 * never NULL, owned by the record and unchanged for its life. Ids begin at 1 and are never reused.
 */
struct code_record {
    uint32_t id;
    int32_t line; /* co_firstlineno */
    const char *module;
    const char *function; /* co_name */
    const char *qualname;
    const char *file;
    uint32_t pins;   /* see code_record_pin() */
    bool rejected;   /* the filters drop its events */
    bool unrecorded; /* the recorder's filters do */
    bool marked;     /* the program wants its lines in every recording */
    bool lined;      /* its lines are recorded */
    bool local;      /* monitor.c's: its code objects have LINE */
    /* Between which lines its code lies, where it was ever lined. More may come, under the GIL,
     * while a thread that ends reads. */
    _Atomic int32_t first_line;
    _Atomic uint32_t n_lines;
};

/* A pinned record and its strings stay where they are: call trees, and tracers through them, hold
 * plain pointers. Pinned by any thread, without a lock, while the record is known to be alive: its
 * code object is running. Freed, under the lock of the records, only when pins is 0 (acquire). */
static inline void code_record_pin(struct code_record *record) {
    __atomic_fetch_add(&record->pins, 1, __ATOMIC_RELAXED);
}

/* Release order: the holder's reads of the record come before it can be freed. */
static inline void code_record_unpin(struct code_record *record) {
    __atomic_fetch_sub(&record->pins, 1, __ATOMIC_RELEASE);
}

#endif
