/* SPDX-License-Identifier: Apache-2.0
 *
 * The callbacks while nobody but one kind of reader listens: the recorder, tracers of what comes of
 * following (FOLLOW_PROBES), or tracers of batches. They do what it needs and look at nothing else
 * (for tracers: but at the event's own probe), since what they do is all that an event costs.
 */
#ifndef PYUSDT_LEAN_H
#define PYUSDT_LEAN_H

#include <Python.h>

#include "events.h"

/* The function behind the callback of `event` then; callback.h has the rules for it. */
vectorcallfunc lean_recorded(enum event event);
vectorcallfunc lean_told(enum event event);
vectorcallfunc lean_batched(enum event event);

#endif
