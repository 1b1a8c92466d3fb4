/* SPDX-License-Identifier: Apache-2.0
 *
 * The callbacks while there is one kind of reader alone: the recorder, tracers of what comes of
 * tracking (TRACKING_PROBES), or tracers of batches. They do what it needs and look at nothing else
 * (for tracers: but at the event's own probe), since what they do is all that an event costs.
 *
 * Private to: capture
 */
#ifndef PYUSDT_CAPTURE_CALLBACK_FAST_H
#define PYUSDT_CAPTURE_CALLBACK_FAST_H

#include <Python.h>

#include "probe/events.h"

/* The function behind the callback of `event` then; callback.h has the rules for it. */
vectorcallfunc callback_fast_recorder(enum event event);
vectorcallfunc callback_fast_counter(enum event event); /* a recorder that takes no times */
vectorcallfunc callback_fast_tracer(enum event event);
vectorcallfunc callback_fast_batch(enum event event);

#endif
