/* SPDX-License-Identifier: Apache-2.0
 *
 * The full callbacks: each does all that its event may need, whichever readers there are. GIL held.
 *
 * Private to: capture
 */
#ifndef PYUSDT_CAPTURE_CALLBACK_FULL_H
#define PYUSDT_CAPTURE_CALLBACK_FULL_H

#include <Python.h>

#include "probe/events.h"

/* The function of the full callback of `event`; callback.h has the rules for it. */
vectorcallfunc callback_full(enum event event);

#endif
