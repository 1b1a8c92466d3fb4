/* SPDX-License-Identifier: Apache-2.0 */
#include "control/remote_recording.h"

#include <Python.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/filter.h"
#include "capture/monitor.h"
#include "control/messages.h"
#include "control/recorder.h"
#include "control/settings.h"
#include "control/snapshot.h"

/* Written under the GIL. */
static _Atomic uint64_t s_over_ns; /* when the lease ends; 0: there is none */
static uint64_t s_lease_ns;

/* Written under the GIL and s_lock: a thread that publishes the status need not hold the GIL. */
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static char *s_counts; /* owned */
static size_t s_size;

static int refuse(char why[PYUSDT_MESSAGE_SIZE], const char *reason) {
    snprintf(why, PYUSDT_MESSAGE_SIZE, "%s", reason);
    return -1;
}

static void set_counts(char *counts, size_t size) {
    pthread_mutex_lock(&s_lock);
    free(s_counts);
    s_counts = counts;
    s_size = counts ? size : 0;
    pthread_mutex_unlock(&s_lock);
}

static int check_patterns(const char *name, const char *patterns, char why[PYUSDT_MESSAGE_SIZE]) {
    char what[PYUSDT_MESSAGE_SIZE - 16];

    if (memchr(patterns, '\0', PYUSDT_FILTER_SIZE) &&
        filter_check(patterns, what, sizeof what) == 0)
        return 0;
    if (!memchr(patterns, '\0', PYUSDT_FILTER_SIZE))
        snprintf(what, sizeof what, "is too long");
    snprintf(why, PYUSDT_MESSAGE_SIZE, "%s %s", name, what);
    return -1;
}

static int check(uint32_t actions, const struct remote_recording_request *request,
                 char why[PYUSDT_MESSAGE_SIZE]) {
    const struct pyusdt_record_options *options = &request->options;
    const struct pyusdt_record_timing *timing = &request->timing;
    const struct pyusdt_record_lines *lines = &request->lines;
    bool on = recorder_is_on(RECORDER_OUTSIDE);

    if (actions & ~(uint32_t)PYUSDT_RECORD_ALL)
        return refuse(why, "the request has an action that is not known");
    if (!(actions & PYUSDT_RECORD_START))
        return on ? 0 : refuse(why, "it is not being recorded any more");
    if (on)
        return refuse(why, "another `pyusdt record` is recording it");
    if (options->max_nodes < 1 || options->max_nodes > INT32_MAX || options->c_calls > 1 ||
        options->lease_msec < 1)
        return refuse(why, "max_nodes, c_calls or lease_msec is out of bounds");
    if (timing->times > PYUSDT_TIMES_SAMPLED || timing->sample_msec > SAMPLE_MSEC_MAX)
        return refuse(why, "times or sample_msec is out of bounds");
    if (request->lines.of_program > 1)
        return refuse(why, "of_program is out of bounds");
    if (request->memory.memory > PYUSDT_MEMORY_BITS)
        return refuse(why, "memory is out of bounds");
    if (check_patterns("only", options->only, why) < 0 ||
        check_patterns("exclude", options->exclude, why) < 0)
        return -1;
    return check_patterns("lines", lines->lines, why);
}

static int start(const struct remote_recording_request *request, char why[PYUSDT_MESSAGE_SIZE]) {
    const struct pyusdt_record_options *options = &request->options;
    struct recorder_options wanted = {
        .c_calls = options->c_calls,
        .max_nodes = (int64_t)options->max_nodes,
        .only = options->only,
        .exclude = options->exclude,
        .lines = request->lines.lines,
        .lines_of_program = request->lines.of_program,
        .memory = request->memory.memory,
        .times = request->timing.times,
        .sample_msec = request->timing.sample_msec,
    };
    int error = recorder_start(RECORDER_OUTSIDE, &wanted);

    s_lease_ns = (uint64_t)options->lease_msec * 1000000;
    if (error == MONITOR_REFUSED && options->c_calls)
        return refuse(why, "sys.monitoring refused, or this Python hides its functions in C");
    if (error == MONITOR_EARLY)
        return refuse(why, "its Python is still starting");
    return error < 0 ? refuse(why, messages_dormant(messages_dormancy(error))) : 0;
}

static int take_counts(char why[PYUSDT_MESSAGE_SIZE]) {
    size_t size;
    char *counts = snapshot_take(&size);

    set_counts(counts, size);
    return counts ? 0 : refuse(why, "it has no memory for the counts");
}

static void stop(void) {
    if (recorder_is_on(RECORDER_OUTSIDE))
        recorder_stop(RECORDER_OUTSIDE);
}

int remote_recording_act(uint32_t actions, const struct remote_recording_request *request,
                         char why[PYUSDT_MESSAGE_SIZE]) {
    int ret = check(actions, request, why);

    if (ret < 0)
        return ret;
    set_counts(NULL, 0);
    if (actions & PYUSDT_RECORD_START)
        ret = start(request, why);
    if (ret == 0 && actions & PYUSDT_RECORD_COUNTS)
        ret = take_counts(why);
    if (actions & PYUSDT_RECORD_STOP || (ret < 0 && actions & PYUSDT_RECORD_START))
        stop();
    s_over_ns = clock_monotonic_ns() + s_lease_ns; /* after a stop: for the counts */
    return ret;
}

bool remote_recording_is_over(void) {
    return s_over_ns && clock_monotonic_ns() > s_over_ns;
}

void remote_recording_end(void) {
    s_over_ns = 0;
    set_counts(NULL, 0);
    stop();
}

struct pyusdt_record remote_recording_state(void) {
    struct pyusdt_record record = {0};

    if (recorder_is_on(RECORDER_INSIDE))
        record.recorded |= PYUSDT_RECORDED_INSIDE;
    if (recorder_is_on(RECORDER_OUTSIDE))
        record.recorded |= PYUSDT_RECORDED_OUTSIDE;
    pthread_mutex_lock(&s_lock);
    record.address = (uintptr_t)s_counts;
    record.size = s_size;
    pthread_mutex_unlock(&s_lock);
    return record;
}

void remote_recording_postfork_child(void) {
    pthread_mutex_init(&s_lock, NULL);
    set_counts(NULL, 0);
    s_over_ns = recorder_is_on(RECORDER_OUTSIDE) ? clock_monotonic_ns() + s_lease_ns : 0;
}
