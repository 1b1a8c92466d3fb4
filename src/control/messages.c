/* SPDX-License-Identifier: Apache-2.0 */
#include "control/messages.h"

#include <stdio.h>

#include "capture/monitor.h"
#include "probe/probes.h"
#include "base/log.h"

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

void messages_refusal(int error) {
    if (error == MONITOR_NO_TOOL)
        log_line("other tools hold the ids 2 to 4 of sys.monitoring: dormant until one is free");
    else if (error == MONITOR_JIT)
        log_line("the JIT of Python 3.14 spoils local variables while events are enabled: dormant; "
                 "run Python with PYTHON_JIT=0 to trace it");
    else
        log_line("sys.monitoring refused to enable events: dormant, trying again");
}
