/* SPDX-License-Identifier: Apache-2.0
 *
 * The callbacks while nobody but the recorder listens: they do what it needs and look at nothing
 * else, since what they do is the price of a recording.
 */
#ifndef PYUSDT_LEAN_H
#define PYUSDT_LEAN_H

#include <Python.h>

#include "events.h"

/* The function behind the callback of `event` then; callback.h has the rules for it. */
vectorcallfunc lean_of(enum event event);

#endif
