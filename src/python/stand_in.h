/* SPDX-License-Identifier: Apache-2.0
 *
 * A C function of ours in the place of a module's: of the same name, text and signature, so that
 * it is pickled and inspected as the original.
 */
#ifndef PYUSDT_PYTHON_STAND_IN_H
#define PYUSDT_PYTHON_STAND_IN_H

#include <Python.h>

/* Put `method` in the place of the built-in function of its name in `module`, for good: `method`
 * and its text stay. Returns the original, owned by the caller; NULL: nothing has changed. No
 * exception is set. GIL held. */
PyObject *stand_in_put(const char *module, PyMethodDef *method);

#endif
