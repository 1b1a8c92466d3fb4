/* SPDX-License-Identifier: Apache-2.0
 *
 * What pyusdt/recorder.py calls of the core.
 */
#ifndef PYUSDT_RECORDAPI_H
#define PYUSDT_RECORDAPI_H

#include <Python.h>

/* Adds the functions to the module. 0, or -1 with an exception set. */
int recordapi_add(PyObject *module);

#endif
