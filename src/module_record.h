/* SPDX-License-Identifier: Apache-2.0
 *
 * What pyusdt/recorder.py calls of the core.
 */
#ifndef PYUSDT_MODULE_RECORD_H
#define PYUSDT_MODULE_RECORD_H

#include <Python.h>

/* Adds the functions to the module. 0, or -1 with an exception set. */
int module_record_add(PyObject *module);

#endif
