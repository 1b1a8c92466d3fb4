/* SPDX-License-Identifier: Apache-2.0 */
#include "control/messages.h"

#include <stdio.h>

#include "base/log.h"
#include "capture/monitor.h"
#include "probe/probes.h"
#include "pyusdt_control.h"

static void events_text(event_mask events, char *text, size_t size) {
    size_t used = 0;

    text[0] = '\0';
    for (int e = 0; e < EVENT_COUNT && used < size; e++)
        if (events & (event_mask)1 << e)
            used += (size_t)snprintf(text + used, size - used, " %s", probes_info[e].name);
}

void messages_change(event_mask before, event_mask now) {
    char text[400];

    if (!log_verbose || before == now)
        return;
    events_text(now, text, sizeof text);
    if (now)
        log_line("enabled, tool id %d:%s", monitor_tool(), text);
    else
        log_line("disabled");
}

const char *messages_dormant(unsigned dormant) {
    static const char *const reasons[] = {
        [PYUSDT_DORMANT_NOT] = NULL,
        [PYUSDT_DORMANT_NO_TOOL] = "other tools hold the ids 2 to 4 of sys.monitoring",
        [PYUSDT_DORMANT_REFUSED] = "sys.monitoring refused to enable events",
        [PYUSDT_DORMANT_JIT] = "the JIT of Python 3.14 spoils local variables while events are "
                               "enabled: run Python with PYTHON_JIT=0",
    };

    return dormant <= PYUSDT_DORMANT_JIT ? reasons[dormant] : NULL;
}

uint32_t messages_dormancy(int error) {
    static const uint32_t dormant[] = {
        [-MONITOR_NO_TOOL] = PYUSDT_DORMANT_NO_TOOL,
        [-MONITOR_REFUSED] = PYUSDT_DORMANT_REFUSED,
        [-MONITOR_JIT] = PYUSDT_DORMANT_JIT,
        [-MONITOR_EARLY] = PYUSDT_DORMANT_NOT,
    };

    return dormant[-error];
}

void messages_refusal(int error) {
    static const char *const then[] = {
        [PYUSDT_DORMANT_NO_TOOL] = "dormant until one is free",
        [PYUSDT_DORMANT_REFUSED] = "dormant, trying again",
        [PYUSDT_DORMANT_JIT] = "dormant",
    };
    uint32_t dormant = messages_dormancy(error);

    if (dormant != PYUSDT_DORMANT_NOT)
        log_line("%s: %s", messages_dormant(dormant), then[dormant]);
}
