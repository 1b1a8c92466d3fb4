/* SPDX-License-Identifier: Apache-2.0
 *
 * The one who speaks to sys.monitoring: claims a tool id when the first event is wanted, switches
 * events on and off, gives the id back when the last one goes.
 *
 * GIL held for everything here. Nothing leaves an exception set, but for monitor_init().
 */
#ifndef PYUSDT_CAPTURE_MONITOR_H
#define PYUSDT_CAPTURE_MONITOR_H

#include <stdbool.h>

#include "probe/events.h"

/* 0, or -1 with an exception set. */
int monitor_init(void);

/* Why events could not be switched on. */
enum {
    MONITOR_NO_TOOL = -1, /* other tools hold every id that we try */
    MONITOR_REFUSED = -2, /* sys.monitoring raised: an audit hook, or no memory */
    MONITOR_JIT = -3,     /* this Python's JIT does not bear it, for as long as the process lives */
    MONITOR_EARLY = -4,   /* while this Python starts, nobody knows whether its JIT will be on */
};

/* Have exactly these events on. 0, or one of the above: then nothing is on and no tool id is held.
 * Call it again later: it may succeed then. */
int monitor_apply(event_mask events);

/* Another tool has taken our id: nothing is heard until monitor_apply() claims another one. */
bool monitor_is_robbed(void);

/* Have the sites that a callback disabled speak again. */
void monitor_rearm(void);

/* The events that are on. */
event_mask monitor_events(void);

/* The tool id that is held, or -1. These two: any thread, no GIL; as they are at some moment. */
int monitor_tool(void);

#endif
