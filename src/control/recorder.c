/* SPDX-License-Identifier: Apache-2.0 */
#include "control/recorder.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "capture/c_call.h"
#include "capture/code.h"
#include "capture/lined.h"
#include "capture/monitor.h"
#include "capture/tracking.h"
#include "control/apply.h"
#include "control/sampler.h"
#include "control/settings.h"
#include "memory/memory.h"
#include "probe/demand.h"
#include "pyusdt_control.h"
#include "steps/step_log.h"

/* set_events() counts its calls in 24 bits for the life of the process (cpython #141845). */
#define FLAP_NS 100000000u

/* Written under the GIL. */
static struct client {
    _Atomic bool on;
    bool c_calls, sampled;
    uint32_t memory;
    int64_t max_nodes;
    uint32_t sample_msec;
    char only[PYUSDT_FILTER_SIZE], exclude[PYUSDT_FILTER_SIZE];
} s_clients[RECORDER_CLIENTS];
static uint64_t s_stopped_ns; /* when the events were last disabled at once */

static void follow(struct thread *thread, void *unused) {
    (void)unused;
    sampler_follow(thread);
}

/* Where times come from the sampler alone, it is on. */
static uint32_t sample_msec(const struct recorder_options *options) {
    uint32_t msec = options->sample_msec ? options->sample_msec : settings_sample_msec;

    return !msec && options->times == PYUSDT_TIMES_SAMPLED ? SAMPLE_MSEC_DEFAULT : msec;
}

/* Filters that are too long to be kept drop nothing here; the client that set them must drop. */
static void keep(enum recorder_client number, const struct recorder_options *options) {
    struct client *client = &s_clients[number];
    size_t room = PYUSDT_FILTER_SIZE;
    bool fits = strlen(options->only) < room && strlen(options->exclude) < room;

    client->c_calls = options->c_calls;
    client->sampled = options->times == PYUSDT_TIMES_SAMPLED;
    client->memory = options->memory;
    client->max_nodes = options->max_nodes;
    client->sample_msec = sample_msec(options);
    snprintf(client->only, room, "%s", fits ? options->only : "");
    snprintf(client->exclude, room, "%s", fits ? options->exclude : "");
    lined_set(number, options->lines, options->lines_of_program);
    client->on = true;
}

_Static_assert((int)RECORDER_CLIENTS == (int)LINED_CLIENTS, "each may want lines");

/* The sum of all clients' options, with filters only if all have the same. False: there is no
 * client. */
static bool add_up(struct client *sum) {
    bool any = false;

    for (int i = 0; i < RECORDER_CLIENTS; i++) {
        const struct client *c = &s_clients[i];

        if (!c->on)
            continue;
        if (!any)
            *sum = *c;
        sum->c_calls |= c->c_calls;
        sum->sampled &= c->sampled;
        sum->memory = memory_join(sum->memory, c->memory);
        if (c->max_nodes > sum->max_nodes)
            sum->max_nodes = c->max_nodes;
        if (c->sample_msec && (!sum->sample_msec || c->sample_msec < sum->sample_msec))
            sum->sample_msec = c->sample_msec;
        if (strcmp(c->only, sum->only) != 0 || strcmp(c->exclude, sum->exclude) != 0)
            sum->only[0] = sum->exclude[0] = '\0';
        any = true;
    }
    return any;
}

/* Record what the clients want together. 0, also without clients, or one of monitor.h's errors. */
static int record_for_clients(void) {
    static struct client sum; /* large, and under the GIL */
    int error;

    if (!add_up(&sum))
        return 0;
    thread_allow(sum.max_nodes);
    code_set_recorded(sum.only, sum.exclude);
    step_log_start();
    sampler_want(sum.sample_msec);
    demand_read(DEMAND_RECORDER | (sum.c_calls ? DEMAND_C_CALLS : 0) |
                (sum.sampled ? 0 : DEMAND_TIMES) | (lined_any() || code_marked ? DEMAND_LINES : 0));
    error = apply_readers();
    if (error >= 0)
        memory_account(sum.memory); /* where it cannot, counts say that there is none */
    return error;
}

int recorder_start(enum recorder_client client, const struct recorder_options *options) {
    int error;

    if (options->c_calls && !c_call_works)
        return MONITOR_REFUSED;
    keep(client, options);
    error = record_for_clients();
    if (error < 0)
        recorder_stop(client);
    else
        thread_each(true, follow, NULL);
    return error;
}

static void stop_all(void) {
    uint64_t now = clock_monotonic_ns();

    memory_account(0);
    demand_read(0);
    code_decide_lines();
    step_log_stop();
    sampler_want(0);
    if (now - s_stopped_ns < FLAP_NS)
        return;
    s_stopped_ns = now;
    apply_readers();
    thread_allow(0);
}

void recorder_stop(enum recorder_client client) {
    bool others = false;

    s_clients[client].on = false;
    lined_set(client, NULL, NULL);
    for (int i = 0; i < RECORDER_CLIENTS; i++)
        others |= s_clients[i].on;
    if (others)
        record_for_clients();
    else
        stop_all();
}

void recorder_lines_marked(void) {
    if (!(demand_now() & DEMAND_LINES))
        record_for_clients();
}

bool recorder_is_on(enum recorder_client client) {
    return s_clients[client].on;
}

void recorder_postfork_child(void) {
    step_log_stop();
    if (s_clients[RECORDER_INSIDE].on || s_clients[RECORDER_OUTSIDE].on)
        step_log_start();
}
