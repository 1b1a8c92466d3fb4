/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages about events that are enabled and disabled. Any thread.
 */
#ifndef PYUSDT_CONTROL_MESSAGES_H
#define PYUSDT_CONTROL_MESSAGES_H

#include "probe/events.h"

/* With the setting verbose, log the enabled events, if they have changed. */
void messages_change(event_mask before, event_mask now);

/* Log why events could not be enabled: one of MONITOR_*. */
void messages_refusal(int error);

#endif
