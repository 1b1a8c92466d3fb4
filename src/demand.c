/* SPDX-License-Identifier: Apache-2.0 */
#include "demand.h"

event_mask demand_of(probe_mask watched) {
    event_mask events = 0;

    for (int p = 0; p < PROBE_COUNT; p++)
        if (watched & PROBE_BIT(p))
            events |= probes_info[p].needs;
    return events;
}
