/* SPDX-License-Identifier: Apache-2.0
 *
 * What is logged when events are enabled, disabled or refused. Any thread.
 */
#ifndef PYUSDT_CONTROL_MESSAGES_H
#define PYUSDT_CONTROL_MESSAGES_H

#include <stdint.h>

#include "probe/events.h"

/* With the setting verbose, log the enabled events, if they have changed. */
void messages_change(event_mask before, event_mask now);

/* Why no event is enabled although some are wanted: the text of PYUSDT_DORMANT_*, or NULL for
 * PYUSDT_DORMANT_NOT and what is none of them. The only home of these sentences: status, refusals
 * and the log use it, and Python by libpyusdt.DORMANT. */
const char *messages_dormant(unsigned dormant);

/* PYUSDT_DORMANT_* of 0 or one of MONITOR_*. */
uint32_t messages_dormancy(int error);

/* Log why events could not be enabled: one of MONITOR_*. */
void messages_refusal(int error);

#endif
