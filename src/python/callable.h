/* SPDX-License-Identifier: Apache-2.0
 *
 * A Python callable made of one C function and one word: the cheapest callback that CPython can
 * call (its own vectorcall slot, no argument tuple, no method object).
 */
#ifndef PYUSDT_PYTHON_CALLABLE_H
#define PYUSDT_PYTHON_CALLABLE_H

#include <Python.h>

struct callable {
    PyObject_HEAD vectorcallfunc call;
    void *data; /* the caller's; not freed */
};

/* Make the type. GIL held. 0, or -1 with an exception set. */
int callable_init(void);

/* A new reference, or NULL with an exception set. `call` gets the callable itself as its first
 * argument and must return a new reference (or an immortal object) and never NULL. */
PyObject *callable_new(vectorcallfunc call, void *data);

#endif
