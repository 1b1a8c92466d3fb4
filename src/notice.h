/* SPDX-License-Identifier: Apache-2.0
 *
 * What people are told of events that go on and off. Any thread.
 */
#ifndef PYUSDT_NOTICE_H
#define PYUSDT_NOTICE_H

#include "events.h"

/* With the setting verbose, say what is on now, if that is not what was on before. */
void notice_change(event_mask before, event_mask now);

/* Say why events could not be switched on: one of MONITOR_*. */
void notice_refusal(int error);

#endif
