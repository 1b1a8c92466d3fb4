/* SPDX-License-Identifier: Apache-2.0
 *
 * What people are told of events that go on and off. Any thread.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_MESSAGES_H
#define PYUSDT_CONTROL_MESSAGES_H

#include "probe/events.h"

/* With the setting verbose, say what is on now, if that is not what was on before. */
void messages_change(event_mask before, event_mask now);

/* Say why events could not be switched on: one of MONITOR_*. */
void messages_refusal(int error);

#endif
