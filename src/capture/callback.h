/* SPDX-License-Identifier: Apache-2.0
 *
 * What CPython calls when an event happens: find the code record, fire the probe that is watched,
 * keep the call tree. callback_full.c has the callbacks that do all that an event may need,
 * callback_fast.c those for one kind of reader alone; this chooses between them.
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
 * where there is one kind of reader alone, what it needs and nothing else. */
void callback_apply(probe_mask wanted);

/* True once any callback has returned DISABLE since the last call: then some site is silent until
 * sys.monitoring.restart_events(). */
bool callback_take_disabled(void);

#endif
