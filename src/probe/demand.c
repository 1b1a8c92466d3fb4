/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/demand.h"

static _Atomic probe_mask s_readers;

void demand_read(probe_mask readers) {
    s_readers = readers;
}

probe_mask demand_now(void) {
    return probes_watched() | s_readers;
}

event_mask demand_of(probe_mask wanted) {
    event_mask events = 0;

    for (int p = 0; p < PROBE_COUNT; p++)
        if (wanted & PROBE_BIT(p))
            events |= probes_info[p].needs;
    if (wanted & DEMAND_RECORDER)
        events |= NEED_FRAMES;
    if (wanted & DEMAND_C_CALLS)
        events |= NEED(CALL) | NEED(C_RETURN) | NEED(C_RAISE);
    if (wanted & DEMAND_LINES)
        events |= NEED(RAISE);
    return events;
}

event_mask demand_local(probe_mask wanted) {
    return wanted & DEMAND_LINES ? NEED(LINE) : 0;
}
