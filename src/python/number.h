/* SPDX-License-Identifier: Apache-2.0
 *
 * The integers that CPython passes to callbacks, without a call: line numbers and offsets. GIL
 * held.
 */
#ifndef PYUSDT_PYTHON_NUMBER_H
#define PYUSDT_PYTHON_NUMBER_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* CPython keeps one object for each of the first integers, all in one array: the number that such
 * an object stands for follows from its address. The others of less than 2^30 have their value in
 * one word behind another, which is the same for all of them. Written once, at import, where it is
 * tried: where integers lie otherwise, they are read by a call. */
enum { NUMBER_SMALL_SIZE = 32, NUMBER_TAG = 16, NUMBER_DIGIT = 24 };
struct number_layout {
    uintptr_t small;       /* the address of 0 */
    uintptr_t small_bytes; /* of the array from there on; 0 where they do not lie so */
    PyTypeObject *type;    /* of those with one word; NULL where they do not lie so */
    uint64_t tag;
};
extern struct number_layout number_layout;

/* Never fails. */
void number_init(void);

/* Any object; 0 where it is no integer of C. */
int32_t number_any(PyObject *o);

static inline int32_t number(PyObject *o) {
    uintptr_t distance = (uintptr_t)o - number_layout.small;
    uint64_t tag;
    int32_t digit;

    if (LIKELY(distance < number_layout.small_bytes))
        return (int32_t)(distance / NUMBER_SMALL_SIZE);
    if (UNLIKELY(Py_TYPE(o) != number_layout.type))
        return number_any(o);
    memcpy(&tag, (const char *)o + NUMBER_TAG, sizeof tag);
    if (UNLIKELY(tag != number_layout.tag))
        return number_any(o);
    memcpy(&digit, (const char *)o + NUMBER_DIGIT, sizeof digit);
    return digit;
}

#endif
