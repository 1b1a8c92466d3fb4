/* SPDX-License-Identifier: Apache-2.0 */
#include "control/apply.h"

#include <stdatomic.h>

#include "capture/batch.h"
#include "capture/callback.h"
#include "capture/gc.h"
#include "capture/monitor.h"
#include "capture/tracking.h"
#include "control/messages.h"
#include "control/replay.h"
#include "memory/memory.h"

/* How often a demand that could not be applied is tried again, and the tool id is checked. */
enum { RETRY_MSEC = 1000 };

/* Written under the GIL. */
static bool s_started; /* between apply_start() and apply_stop() */

/* Written under the GIL, read by the watcher without it. */
static _Atomic probe_mask s_applied;
static _Atomic int s_refused;

/* Counted down by the watcher, without the GIL; set again with each demand that is applied. */
static _Atomic int s_retry_msec;

int apply_demand(probe_mask watched) {
    event_mask before = monitor_is_robbed() ? 0 : monitor_events();
    probe_mask fresh = watched & ~s_applied;
    int error;

    /* Before the events are enabled: the first one may already be tracked. */
    tracking_apply(watched);
    batch_apply(watched);
    gc_apply(watched);
    callback_apply(watched);
    error = monitor_apply(demand_of(watched), demand_local(watched));
    if (error < 0 && error != MONITOR_EARLY && (!s_refused || s_refused == MONITOR_EARLY))
        messages_refusal(error);
    s_refused = error;
    s_retry_msec = error == MONITOR_EARLY ? 0 : RETRY_MSEC;
    s_applied = error < 0 ? 0 : watched;
    tracking_adopt_all();
    memory_watch_large(s_applied & PROBE_BIT(PROBE_mem__large));
    replay_apply(fresh);
    messages_change(before, monitor_events());
    return error;
}

probe_mask apply_start(void) {
    probe_mask watched = demand_now();

    s_started = true;
    apply_demand(watched);
    return watched;
}

void apply_stop(void) {
    s_started = false;
    apply_demand(0);
}

int apply_readers(void) {
    return s_started ? apply_demand((s_applied & ~DEMAND_READERS) | demand_now()) : 0;
}

probe_mask apply_applied(void) {
    return s_applied;
}

int apply_refused(void) {
    return s_refused;
}

bool apply_retry_is_due(int msec) {
    s_retry_msec -= msec;
    return s_retry_msec <= 0;
}

void apply_retry_begins(void) {
    s_retry_msec = RETRY_MSEC;
}
