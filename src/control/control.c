/* SPDX-License-Identifier: Apache-2.0
 *
 * The struct pyusdt_control lies in the library's data, found by its symbol. Another process may
 * read and write it through /proc/PID/mem, at any moment and with any content. The layout and the
 * protocol are in pyusdt_control.h; this is our side of it.
 *
 * Requests. Only a writer outside changes `request` and `record_options`; we never do. A request is
 * new when its sequence is even and differs from the one that was answered last. control_answer()
 * copies it, checks that the sequence is still the same, and from then on uses only the copy, so
 * nothing can change between check and use. The request is checked as a whole, overlaid on a copy
 * of the settings, before any of it is applied. The result is kept for the status.
 *
 * Status. It is a sequence lock: the sequence is odd while the status is written, and even after.
 * A reader copies the struct, and copies again if the sequence was odd or has changed.
 *
 * Threads and locks. The watcher answers under the GIL, and publishes at each tick without it.
 * Other threads publish under the GIL: at start, stop and fork, and for snapshot(). So s_lock makes
 * one writer of the status, and guards the kept answer. It is a leaf: nothing is waited for under
 * it. The settings are written under the GIL and s_lock, so either of the two is enough to read
 * them.
 */
#include "control/control.h"

#include <Python.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "capture/code.h"
#include "capture/monitor.h"
#include "capture/tracking.h"
#include "control/remote_recording.h"
#include "control/sampler.h"
#include "control/settings.h"
#include "memory/memory.h"
#include "probe/probes.h"

_Static_assert(PROBE_COUNT <= PYUSDT_PROBES_MAX, "the status has room for all probes");

/* Others find it by its name among the library's dynamic symbols. It is initialised, so they can
 * identify it before any of our code runs. */
extern struct pyusdt_control pyusdt_control;
EXPORTED struct pyusdt_control pyusdt_control = {
    .magic = PYUSDT_CONTROL_MAGIC,
    .version = PYUSDT_CONTROL_VERSION,
    .size = sizeof pyusdt_control,
    .status = {.tool_id = -1},
};

/* Held while the status or the settings are written: a thread that writes the status need not hold
 * the GIL. Never held while waiting for anything. */
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;

/* The answer to the last request. Written under the GIL and s_lock. */
static _Atomic uint32_t s_answered; /* its sequence */
static bool s_failed;
static char s_error[PYUSDT_MESSAGE_SIZE];

/* Written by control_add_loss(). */
static uint64_t (*s_losses[PYUSDT_LOSSES_MAX])(void);

static void set_name(struct pyusdt_count *count, const char *name) {
    snprintf(count->name, sizeof count->name, "%s", name);
}

void control_init(void) {
    struct pyusdt_status *status = &pyusdt_control.status;

    snprintf(status->python, sizeof status->python, "%.*s", (int)strcspn(Py_GetVersion(), " "),
             Py_GetVersion());
    code_set_filters(settings.only, settings.exclude);
    tracking_set_slow(settings.slow_usec);
    memory_set_large(settings.large_bytes);
    status->n_probes = PROBE_COUNT;
    for (int p = 0; p < PROBE_COUNT; p++)
        set_name(&status->probes[p], probes_info[p].name);
}

void control_add_loss(const char *name, uint64_t (*count)(void)) {
    struct pyusdt_status *status = &pyusdt_control.status;

    set_name(&status->losses[status->n_losses], name);
    s_losses[status->n_losses++] = count;
}

static uint32_t request_sequence(void) {
    return __atomic_load_n(&pyusdt_control.request.sequence, __ATOMIC_ACQUIRE);
}

bool control_requested(void) {
    uint32_t sequence = request_sequence();

    return sequence != s_answered && sequence % 2 == 0;
}

/* The settings as they would be after the request. */
static struct pyusdt_settings overlay(const struct pyusdt_request *request) {
    struct pyusdt_settings wanted = settings;
    const struct pyusdt_settings *from = &request->settings;

    if (request->fields & PYUSDT_SET_SLOW_USEC)
        wanted.slow_usec = from->slow_usec;
    if (request->fields & PYUSDT_SET_VALUES)
        wanted.values = from->values;
    if (request->fields & PYUSDT_SET_CHECK_MSEC)
        wanted.check_msec = from->check_msec;
    if (request->fields & PYUSDT_SET_VERBOSE)
        wanted.verbose = from->verbose;
    if (request->fields & PYUSDT_SET_LARGE_BYTES)
        wanted.large_bytes = from->large_bytes;
    if (request->fields & PYUSDT_SET_ONLY)
        memcpy(wanted.only, from->only, sizeof wanted.only);
    if (request->fields & PYUSDT_SET_EXCLUDE)
        memcpy(wanted.exclude, from->exclude, sizeof wanted.exclude);
    return wanted;
}

int control_check(const struct pyusdt_request *request, char why[PYUSDT_MESSAGE_SIZE]) {
    struct pyusdt_settings wanted = overlay(request);

    if (request->fields & ~(uint32_t)PYUSDT_SET_ALL || request->actions) {
        snprintf(why, PYUSDT_MESSAGE_SIZE, "the request is not one of version %d",
                 PYUSDT_CONTROL_VERSION);
        return -1;
    }
    return settings_check(&wanted, why);
}

/* The filters have changed: decide again which functions are reported. */
static void refilter(void) {
    if (code_set_filters(settings.only, settings.exclude))
        monitor_rearm();
    monitor_reline();
    tracking_refilter();
}

int control_apply(const struct pyusdt_request *request, char why[PYUSDT_MESSAGE_SIZE]) {
    struct pyusdt_settings wanted = overlay(request);

    if (control_check(request, why) < 0)
        return -1;
    pthread_mutex_lock(&s_lock);
    settings_set(&wanted);
    pthread_mutex_unlock(&s_lock);
    if (request->fields & (PYUSDT_SET_ONLY | PYUSDT_SET_EXCLUDE))
        refilter();
    if (request->fields & PYUSDT_SET_SLOW_USEC)
        tracking_set_slow(settings.slow_usec);
    if (request->fields & PYUSDT_SET_LARGE_BYTES)
        memory_set_large(settings.large_bytes);
    return 0;
}

/* Only requests from outside have actions. */
static int obey(struct pyusdt_request *request, const struct remote_recording_request *recording,
                char why[PYUSDT_MESSAGE_SIZE]) {
    uint32_t actions = request->actions;

    request->actions = 0;
    if (control_check(request, why) < 0)
        return -1;
    if (actions && remote_recording_act(actions, recording, why) < 0)
        return -1;
    return request->fields ? control_apply(request, why) : 0;
}

void control_answer(void) {
    uint32_t sequence = request_sequence();
    struct pyusdt_request request = pyusdt_control.request;
    struct remote_recording_request recording = {
        .options = pyusdt_control.record_options,
        .timing = pyusdt_control.record_timing,
        .lines = pyusdt_control.record_lines,
        .memory = pyusdt_control.record_memory,
    };
    char why[PYUSDT_MESSAGE_SIZE] = "";
    bool failed;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (sequence % 2 || request_sequence() != sequence)
        return; /* it is being written: the next tick answers it */
    failed = obey(&request, &recording, why) < 0;
    pthread_mutex_lock(&s_lock);
    s_answered = sequence;
    s_failed = failed;
    memcpy(s_error, why, sizeof s_error);
    pthread_mutex_unlock(&s_lock);
}

static void fill(struct pyusdt_status *status, uint32_t watcher, uint32_t dormant) {
    status->acknowledged = s_answered;
    status->failed = s_failed;
    memcpy(status->error, s_error, sizeof s_error);
    status->pid = getpid();
    status->watcher = watcher;
    status->dormant = dormant;
    status->tool_id = monitor_tool();
    status->events_on = monitor_events();
    status->probes_watched = probes_watched();
    status->settings = settings;
    for (int p = 0; p < PROBE_COUNT; p++)
        status->probes[p].count = probes_fired[p];
    for (int i = 0; i < PYUSDT_LOSSES_MAX && s_losses[i]; i++)
        status->losses[i].count = s_losses[i]();
}

void control_publish(uint32_t watcher, uint32_t dormant) {
    struct pyusdt_status *status = &pyusdt_control.status;
    uint32_t sequence;

    pthread_mutex_lock(&s_lock);
    sequence = status->sequence | 1;
    __atomic_store_n(&status->sequence, sequence, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    fill(status, watcher, dormant);
    pyusdt_control.record = remote_recording_state();
    pyusdt_control.sampler = sampler_state();
    __atomic_store_n(&status->sequence, sequence + 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&s_lock);
}

int control_check_msec(void) {
    int msec;

    pthread_mutex_lock(&s_lock);
    msec = (int)settings.check_msec;
    pthread_mutex_unlock(&s_lock);
    return msec;
}

void control_copy(struct pyusdt_control *copy) {
    pthread_mutex_lock(&s_lock);
    *copy = pyusdt_control;
    pthread_mutex_unlock(&s_lock);
}

void control_postfork_child(void) {
    pthread_mutex_init(&s_lock, NULL);
}
