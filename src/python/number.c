/* SPDX-License-Identifier: Apache-2.0 */
#include "python/number.h"

#include <stdbool.h>

enum { SMALL_COUNT = 257 };

struct number_layout number_layout;

int32_t number_any(PyObject *o) {
    long n = PyLong_CheckExact(o) ? PyLong_AsLong(o) : 0;

    if (UNLIKELY(n == -1))
        PyErr_Clear();
    return (int32_t)n;
}

static uintptr_t small_bytes(uintptr_t zero) {
    uintptr_t bytes = (uintptr_t)SMALL_COUNT * NUMBER_SMALL_SIZE;

    for (int i = 0; i < SMALL_COUNT; i++) {
        PyObject *o = PyLong_FromLong(i);

        if ((uintptr_t)o != zero + (uintptr_t)i * NUMBER_SMALL_SIZE)
            bytes = 0;
        Py_XDECREF(o);
    }
    return bytes;
}

static uint64_t tag_of(PyObject *o) {
    uint64_t tag;

    memcpy(&tag, (const char *)o + NUMBER_TAG, sizeof tag);
    return tag;
}

/* Whether `o`, of at least one digit of 30 bits, has `tag` and the value `n` where number() looks.
 */
static bool lies_so(PyObject *o, uint64_t tag, int32_t n) {
    int32_t digit;

    memcpy(&digit, (const char *)o + NUMBER_DIGIT, sizeof digit);
    return tag_of(o) == tag && digit == n;
}

void number_init(void) {
    static const int32_t tried[] = {1000, 4097, 65536, 0x12345678, (1 << 30) - 1};
    PyObject *zero = PyLong_FromLong(0), *o = PyLong_FromLong(tried[0]);
    bool all = o != NULL;

    number_layout.small = (uintptr_t)zero;
    number_layout.small_bytes = zero ? small_bytes((uintptr_t)zero) : 0;
    if (o)
        number_layout.tag = tag_of(o);
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        PyObject *other = PyLong_FromLong(tried[i]);

        all = all && other && lies_so(other, number_layout.tag, tried[i]);
        Py_XDECREF(other);
    }
    number_layout.type = all ? Py_TYPE(o) : NULL;
    Py_XDECREF(zero);
    Py_XDECREF(o);
    PyErr_Clear();
}
