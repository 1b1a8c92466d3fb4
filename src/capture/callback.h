/* SPDX-License-Identifier: Apache-2.0
 *
 * What CPython calls when an event happens: look up the code record, fire the probe that is
 * watched.
 *
 * A callback runs in the middle of the user's program. It never raises, never runs user code (but
 * for repr(), when PYUSDT_VALUES=repr asks for it), never blocks. GIL held.
 */
#ifndef PYUSDT_CAPTURE_CALLBACK_H
#define PYUSDT_CAPTURE_CALLBACK_H

#include <Python.h>
#include <stdbool.h>

#include "probe/probes.h"

/* Make a callback for each event. `disable` is sys.monitoring.DISABLE (a reference is kept).
 * 0, or -1 with an exception set. */
int callback_init(PyObject *disable);

/* The callback of an event. Borrowed, lives for ever. */
PyObject *callback_of(enum event event);

/* Have the callbacks do what these watched probes and the recorder need: all that they can, or,
 * where one reader alone has them do something, that and nothing else. */
void callback_apply(probe_mask wanted);

/* The function of a callback that does all that the event may need, whoever listens. */
vectorcallfunc callback_whole(enum event event);

/* What a callback returns to have its site silent: a new reference. For LOCAL events only. */
PyObject *callback_disable(void);

/* True once any callback has returned DISABLE since the last time that this was asked: then some
 * site is silent until sys.monitoring.restart_events(). */
bool callback_take_disabled(void);

#endif
