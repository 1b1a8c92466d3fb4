/* SPDX-License-Identifier: Apache-2.0 */
#include "notice.h"

#include <stdio.h>

#include "control.h"
#include "monitor.h"
#include "probes.h"
#include "say.h"

static void events_text(event_mask events, char *text, size_t size) {
    size_t used = 0;

    text[0] = '\0';
    for (int e = 0; e < EVENT_COUNT && used < size; e++)
        if (events & (event_mask)1 << e)
            used += (size_t)snprintf(text + used, size - used, " %s", probes_info[e].name);
}

void notice_change(event_mask before, event_mask now) {
    char text[400];

    if (!control_settings.verbose || before == now)
        return;
    events_text(now, text, sizeof text);
    if (now)
        say("enabled, tool id %d:%s", monitor_tool(), text);
    else
        say("disabled");
}

void notice_refusal(int error) {
    if (error == MONITOR_NO_TOOL)
        say("other tools hold the ids 2 to 4 of sys.monitoring: dormant until one is free");
    else if (error == MONITOR_JIT)
        say("the JIT of Python 3.14 spoils local variables while events are on: dormant; run "
            "Python with PYTHON_JIT=0 to trace it");
    else
        say("sys.monitoring refused to switch events on: dormant, trying again");
}
