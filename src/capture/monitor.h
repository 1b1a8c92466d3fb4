/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor: enables and disables events of sys.monitoring. It claims a tool id with the first
 * event and gives it back with the last one.
 *
 * GIL held for everything here. Nothing leaves an exception set, but for monitor_init().
 */
#ifndef PYUSDT_CAPTURE_MONITOR_H
#define PYUSDT_CAPTURE_MONITOR_H

#include <stdbool.h>

#include "probe/events.h"

/* 0, or -1 with an exception set. */
int monitor_init(void);

/* Why events could not be enabled. */
enum {
    MONITOR_NO_TOOL = -1, /* other tools hold the ids 2 to 4 */
    MONITOR_REFUSED = -2, /* sys.monitoring raised: an audit hook, or no memory */
    MONITOR_JIT = -3,     /* events would break this Python's JIT, as long as the process lives */
    MONITOR_EARLY = -4,   /* while this Python starts, it is not known whether its JIT will be on */
};

/* Enable exactly these events, and those of `local`, without events no more than `events`, in code
 * whose record is lined. 0, or one of the above: then none is enabled and no tool id is held. A
 * later call may succeed. */
int monitor_apply(event_mask events, event_mask local);

/* Other records may be lined than before. */
void monitor_reline(void);

/* Whether another tool has taken our id: no event arrives until monitor_apply() claims another. */
bool monitor_is_robbed(void);

/* Arm the sites again that a callback disabled. */
void monitor_rearm(void);

/* The enabled events, but for local ones. */
event_mask monitor_events(void);

/* The tool id that is held, or -1. These two: any thread, no GIL. */
int monitor_tool(void);

#endif
