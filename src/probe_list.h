/* SPDX-License-Identifier: Apache-2.0
 *
 * The probe table as a list of Python tuples.
 */
#ifndef PYUSDT_PROBE_LIST_H
#define PYUSDT_PROBE_LIST_H

#include <Python.h>

/* A list of (name, arguments, summary, needs, provider) in the order of the table: `arguments` a
 * tuple of "type name", `needs` a tuple of names of events. New reference; NULL with an exception
 * set. GIL held. */
PyObject *probe_list_new(void);

#endif
