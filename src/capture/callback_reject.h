/* SPDX-License-Identifier: Apache-2.0
 *
 * What a callback returns for an event that a filter drops. GIL held for everything here.
 *
 * Private to: capture
 */
#ifndef PYUSDT_CAPTURE_CALLBACK_REJECT_H
#define PYUSDT_CAPTURE_CALLBACK_REJECT_H

#include <Python.h>
#include <stdbool.h>

#include "probe/events.h"

/* `disable` is sys.monitoring.DISABLE. A reference is kept. */
void callback_reject_init(PyObject *disable);

/* A new reference to DISABLE: the site stays silent until sys.monitoring.restart_events(). */
PyObject *callback_reject_disable(void);

/* True once any callback has returned DISABLE since the last call. */
bool callback_reject_take(void);

/* DISABLE where the scope allows it, else None, which is immortal since 3.12 (PEP 683): no
 * reference is counted. */
static inline PyObject *callback_reject(enum event_scope scope) {
    return scope == SCOPE_LOCAL ? callback_reject_disable() : Py_None;
}

#endif
