/* SPDX-License-Identifier: Apache-2.0
 *
 * A code record: what we keep about one code object. No Python.h, so that the call tree can be
 * tested without an interpreter.
 */
#ifndef PYUSDT_CODE_RECORD_H
#define PYUSDT_CODE_RECORD_H

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
    uint32_t pins; /* call tree nodes that name it: while not zero, the record is not freed */
    bool rejected; /* nobody wants its events */
};

#endif
