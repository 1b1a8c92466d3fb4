/* SPDX-License-Identifier: Apache-2.0
 *
 * Dictionaries of the program, read without running its code: CPython's own lookup calls __eq__ of
 * any key that happens to have the same hash.
 *
 * GIL held. Nothing leaves an exception set. `dict` may be NULL or any object: without keys then.
 */
#ifndef PYUSDT_PYTHON_DICT_READ_H
#define PYUSDT_PYTHON_DICT_READ_H

#include <Python.h>
#include <stdbool.h>

/* Keys that are looked at: what is further behind is not found. */
enum { LOOKUP_MAX = 10000 };

/* dict[name], a new reference; NULL where it is not there. Looks at one key after the other: what
 * is asked for is nearly always among the first (a module's __name__), and the very same object. */
PyObject *dict_read_name(PyObject *dict, PyObject *name);

/* Whether all keys are exactly int: then CPython's own lookup runs no code of the program. */
bool dict_read_is_numbered(PyObject *dict);

#endif
