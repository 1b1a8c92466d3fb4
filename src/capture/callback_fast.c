/* SPDX-License-Identifier: Apache-2.0
 *
 * Three functions an event, one a reader. As in callback_full.c all are one, inlined with the
 * reader and the event as constants.
 */
#include "capture/callback_fast.h"

#include "base/compiler.h"
#include "capture/batch.h"
#include "capture/c_call.h"
#include "capture/callback_full.h"
#include "capture/callback_reject.h"
#include "capture/code.h"
#include "capture/tracking_inline.h"
#include "python/number.h"

enum reader { READER_RECORDER, READER_COUNTER, READER_TRACER, READER_BATCH };

ALWAYS_INLINE bool records(enum reader reader) {
    return reader == READER_RECORDER || reader == READER_COUNTER;
}

ALWAYS_INLINE bool wants(enum reader reader, const struct code_record *code) {
    if (records(reader))
        return !(code->rejected | code->unrecorded);
    return !code->rejected;
}

/* The record of a function in C, NULL where it is none, or a filter drops it. */
static inline struct code_record *wanted_c(PyObject *callable) {
    struct code_record *code = c_call_find(callable);

    return code && wants(READER_RECORDER, code) ? code : NULL;
}

/* Where a filter drops the caller, the call was not entered either. */
static NOINLINE void leave_c(PyObject *by, PyObject *callable, enum calltree_outcome outcome) {
    struct code_record *caller = code_find(by), *code = wanted_c(callable);

    if (caller && wants(READER_RECORDER, caller) && code)
        tracking_exit_c(code, outcome);
}

/* True where what is left was entered last, as almost always: it is known by its object, so that no
 * record has to be found. */
ALWAYS_INLINE bool leave_top(enum reader reader, const void *key, enum calltree_outcome outcome) {
    if (reader == READER_RECORDER)
        return tracking_exit_recorded(key, outcome);
    if (reader == READER_COUNTER)
        return tracking_exit_counted(key, outcome);
    return tracking_exit_traced(key, outcome);
}

/* True where the caller is what was entered last, as almost always: known by its object as well. */
ALWAYS_INLINE bool call_top(enum reader reader, const void *by, PyObject *callable) {
    struct code_record *code;

    if (UNLIKELY(!tracking_is_top(by)))
        return false;
    code = wanted_c(callable);
    if (code)
        tracking_call_top(code, callable, reader == READER_RECORDER);
    return true;
}

/* The same for a line, and an exception at one. */
ALWAYS_INLINE bool line_top(enum reader reader, enum event_frame frame, PyObject *const *a) {
    if (frame == FRAME_LINE)
        return tracking_line_top(a[0], number(a[1]), reader == READER_RECORDER);
    return tracking_is_no_error(a[2]) || tracking_error_top(a[0]);
}

static NOINLINE PyObject *use_line(enum event_frame frame, PyObject *const *a) {
    struct code_record *code = code_find(a[0]);

    if (!code || !code->lined || !tracking_lines)
        return Py_None;
    if (frame == FRAME_LINE)
        tracking_line(code, a[0], number(a[1]));
    else
        tracking_error(code, a[0]);
    return Py_None;
}

/* What the reader does with an event for which it needs the code record. */
ALWAYS_INLINE void use(enum reader reader, enum event_frame frame, struct code_record *code,
                       PyObject *const *a) {
    if (reader == READER_BATCH)
        batch_add(code, batch_kind(frame));
    else if (frame == FRAME_CALL)
        tracking_call(code, a[0], wanted_c(a[2]), a[2]);
    else if (event_leaves(frame))
        tracking_exit(code, tracking_outcome(frame));
    else if (reader == READER_COUNTER)
        tracking_enter_counted(code, a[0], tracking_kind(frame));
    else
        tracking_enter_fast(code, a[0], reader == READER_RECORDER || tracking_timed,
                            tracking_kind(frame));
}

/* Whether the reader does anything at an event of this kind. */
ALWAYS_INLINE bool uses(enum reader reader, enum event_frame frame) {
    if (records(reader))
        return frame != FRAME_NONE;
    return event_enters(frame) || event_leaves(frame);
}

ALWAYS_INLINE PyObject *on_event(enum reader reader, enum event event, PyObject *self,
                                 PyObject *const *a, size_t n, PyObject *kwnames) {
    const struct event_traits *traits = &events_traits[event];
    enum event_frame frame = traits->frame;
    struct code_record *code;

    /* Tracers attach probe by probe. One that goes on with the event's own probe does not wait for
     * the watcher's next poll, while the event is enabled already and seems to fire. The recorder
     * spares itself the question: it is the hottest path, and a tracer is served from that poll on.
     */
    if (!records(reader) && UNLIKELY(probe_on(event_probe(event))))
        return callback_full(event)(self, a, n, kwnames);
    if (!uses(reader, frame) || UNLIKELY((n & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != traits->argc))
        return Py_None;
    if (frame == FRAME_C_RETURN || frame == FRAME_C_RAISE) {
        if (!leave_top(reader, a[2], tracking_outcome(frame)))
            leave_c(a[0], a[2], tracking_outcome(frame));
        return Py_None;
    }
    if (frame == FRAME_LINE || frame == FRAME_RAISE)
        return LIKELY(line_top(reader, frame, a)) ? Py_None : use_line(frame, a);
    if (frame == FRAME_CALL && records(reader) && LIKELY(call_top(reader, a[0], a[2])))
        return Py_None;
    if (reader != READER_BATCH && event_leaves(frame) &&
        LIKELY(leave_top(reader, a[0], tracking_outcome(frame))))
        return Py_None;
    code = code_find(a[0]);
    if (UNLIKELY(!code))
        return Py_None;
    if (UNLIKELY(!wants(reader, code)))
        return callback_reject(traits->scope);
    use(reader, frame, code, a);
    return Py_None;
}

#define CALLBACK(prefix, reader, name)                                                             \
    static PyObject *prefix##_on_##name(PyObject *self, PyObject *const *a, size_t n,              \
                                        PyObject *kwnames) {                                       \
        return on_event(reader, EVENT_##name, self, a, n, kwnames);                                \
    }
#define CALLBACKS(name, ...)                                                                       \
    CALLBACK(recorder, READER_RECORDER, name)                                                      \
    CALLBACK(counter, READER_COUNTER, name)                                                        \
    CALLBACK(tracer, READER_TRACER, name)                                                          \
    CALLBACK(batch, READER_BATCH, name)
PYUSDT_EVENTS(CALLBACKS)

vectorcallfunc callback_fast_recorder(enum event event) {
#define RECORDER_ROW(name, ...) [EVENT_##name] = recorder_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(RECORDER_ROW)};

    return s_functions[event];
}

vectorcallfunc callback_fast_counter(enum event event) {
#define COUNTER_ROW(name, ...) [EVENT_##name] = counter_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(COUNTER_ROW)};

    return s_functions[event];
}

vectorcallfunc callback_fast_tracer(enum event event) {
#define TRACER_ROW(name, ...) [EVENT_##name] = tracer_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(TRACER_ROW)};

    return s_functions[event];
}

vectorcallfunc callback_fast_batch(enum event event) {
#define BATCH_ROW(name, ...) [EVENT_##name] = batch_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(BATCH_ROW)};

    return s_functions[event];
}
