/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads dictionaries of the program without running its code: CPython's own lookup calls __eq__ of
 * any key with the same hash.
 *
 * GIL held. Nothing leaves an exception set. `dict` may be NULL or any object, which then counts as
 * empty.
 */
#ifndef PYUSDT_PYTHON_DICT_READ_H
#define PYUSDT_PYTHON_DICT_READ_H

#include <Python.h>
#include <stdbool.h>

/* How many keys are compared: later ones are not found. */
enum { LOOKUP_MAX = 10000 };

/* dict[name], a new reference, or NULL. It compares one key after the other: the wanted one, such
 * as a module's __name__, is nearly always among the first, and the very same object. */
PyObject *dict_read_name(PyObject *dict, PyObject *name);

/* Whether all keys are exactly int, so that CPython's own lookup runs no code of the program. */
bool dict_read_is_numbered(PyObject *dict);

#endif
