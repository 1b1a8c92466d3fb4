/* SPDX-License-Identifier: Apache-2.0
 *
 * One function an event, on_PY_START() and so on: CPython calls it with what its event has. All of
 * them are on_event(), inlined with the event as a constant, so that the compiler keeps of each
 * switch below the one case that the event has: what a callback does is what the event table says.
 *
 * The order within a callback: what is left is left before the event's own probe fires, what is
 * entered is entered after it. So a function's time begins after the tracer's trap at its entry,
 * and ends before the one at its exit.
 */
#include "capture/callback_full.h"

#include "base/compiler.h"
#include "capture/batch.h"
#include "capture/c_call.h"
#include "capture/callback_reject.h"
#include "capture/code.h"
#include "capture/tracking.h"
#include "python/number.h"
#include "python/text.h"

static const char *value_text(PyObject *value, char *buffer) {
    return text_value(value, text_mode, buffer);
}

static const char *callable_text(PyObject *callable, char *buffer) {
    if (text_mode == TEXT_OFF)
        return "";
    return text_callable(callable, buffer);
}

static const char *exception_text(PyObject *exception, char *buffer) {
    if (text_mode == TEXT_OFF)
        return "";
    return text_exception(exception, buffer);
}

/* CPython passes the StopIteration that it does not raise; what it carries is the value. */
static const char *stop_text(PyObject *exception, char *buffer) {
    PyObject *value = NULL;
    const char *text;

    if ((PyObject *)Py_TYPE(exception) == PyExc_StopIteration)
        value = PyObject_GetAttrString(exception, "value");
    text = value_text(value, buffer);
    Py_XDECREF(value);
    PyErr_Clear();
    return text;
}

/* The line at which the running frame stands: where the exception happens. Instructions that the
 * compiler adds belong to no line: then the function's first one. */
static int32_t current_line(const struct code_record *code) {
    PyFrameObject *frame = PyEval_GetFrame();
    int32_t line = frame ? PyFrame_GetLineNumber(frame) : 0;

    return line > 0 ? line : code->line;
}

/* One function a shape: `probe` fires with the arguments that the shape has, `a` is what CPython
 * passed. */
typedef void entry_probe(const char *, const char *, int32_t, int32_t, const char *, uint32_t);
typedef void text_probe(const char *, const char *, int32_t, int32_t, const char *, const char *,
                        uint32_t);
typedef void line_probe(const char *, const char *, int32_t, const char *, uint32_t);

ALWAYS_INLINE void fire_ENTRY(entry_probe *probe, const struct code_record *code,
                              PyObject *const *a) {
    probe(code->function, code->file, code->line, number(a[1]), code->qualname, code->id);
}

ALWAYS_INLINE void fire_VALUE(text_probe *probe, const struct code_record *code,
                              PyObject *const *a) {
    char text[TEXT_SIZE];

    probe(code->function, code->file, code->line, number(a[1]), value_text(a[2], text),
          code->qualname, code->id);
}

ALWAYS_INLINE void fire_CALL(text_probe *probe, const struct code_record *code,
                             PyObject *const *a) {
    char text[TEXT_SIZE];

    probe(code->function, code->file, code->line, number(a[1]), callable_text(a[2], text),
          code->qualname, code->id);
}

ALWAYS_INLINE void fire_STOP(text_probe *probe, const struct code_record *code,
                             PyObject *const *a) {
    char text[TEXT_SIZE];

    probe(code->function, code->file, code->line, number(a[1]), stop_text(a[2], text),
          code->qualname, code->id);
}

ALWAYS_INLINE void fire_RAISED(text_probe *probe, const struct code_record *code,
                               PyObject *const *a) {
    char text[TEXT_SIZE];

    probe(code->function, code->file, current_line(code), number(a[1]), exception_text(a[2], text),
          code->qualname, code->id);
}

ALWAYS_INLINE void fire_LINE(line_probe *probe, const struct code_record *code,
                             PyObject *const *a) {
    probe(code->function, code->file, number(a[1]), code->qualname, code->id);
}

/* The event's own probe. */
ALWAYS_INLINE void fire(enum event event, const struct code_record *code, PyObject *const *a) {
#define CASE_FIRE(name, shape, ...)                                                                \
    case EVENT_##name:                                                                             \
        fire_##shape(probe_##name, code, a);                                                       \
        break;
    switch (event) {
        PYUSDT_EVENTS(CASE_FIRE)
    case EVENT_COUNT:
        break;
    }
}

/* The probes of provider python, as CPython 3.6 to 3.10 fired them: at every entry of a frame, and
 * so also where a generator or coroutine resumes or is thrown into, and at every exit, and so also
 * at a yield or an exception; `line` is the one where the frame stands. A call that makes a
 * generator enters nothing (in CPython 3.15 it fires function__entry, and a throw does not: cpython
 * #142397). */
ALWAYS_INLINE void fire_compat(enum event_frame frame, const struct code_record *code,
                               PyObject *const *a) {
    switch (frame) {
    case FRAME_START:
        if (probe_on(PROBE_function__entry))
            probe_function__entry(code->file, code->function, code->line);
        break;
    case FRAME_RESUME:
    case FRAME_THROW:
        if (probe_on(PROBE_function__entry))
            probe_function__entry(code->file, code->function, current_line(code));
        break;
    case FRAME_RETURN:
    case FRAME_YIELD:
    case FRAME_UNWIND:
        if (probe_on(PROBE_function__return))
            probe_function__return(code->file, code->function, current_line(code));
        break;
    case FRAME_LINE:
        if (probe_on(PROBE_line))
            probe_line(code->file, code->function, number(a[1]));
        break;
    default:
        break;
    }
}

/* The record of a function in C, NULL where it is none, or a filter drops it. */
static struct code_record *wanted_c(PyObject *callable) {
    struct code_record *code = c_call_find(callable);

    return code && !code->rejected ? code : NULL;
}

static void leave_c(struct code_record *code, enum calltree_outcome outcome) {
    if (code)
        tracking_exit_c(code, outcome);
}

/* Before the event's own probe: what is left, is left. */
ALWAYS_INLINE void before(enum event_frame frame, struct code_record *code, PyObject *const *a) {
    switch (frame) {
    case FRAME_RETURN:
    case FRAME_YIELD:
    case FRAME_UNWIND:
        if (UNLIKELY(tracking_on))
            tracking_exit(code, tracking_outcome(frame));
        break;
    case FRAME_C_RETURN:
    case FRAME_C_RAISE:
        if (UNLIKELY(tracking_c_calls))
            leave_c(wanted_c(a[2]), tracking_outcome(frame));
        break;
    default:
        break;
    }
}

/* After it: what is entered, is entered. */
ALWAYS_INLINE void after(enum event_frame frame, struct code_record *code, PyObject *const *a) {
    switch (frame) {
    case FRAME_START:
    case FRAME_RESUME:
    case FRAME_THROW:
        if (UNLIKELY(tracking_on))
            tracking_enter(code, tracking_kind(frame));
        break;
    case FRAME_CALL:
        if (UNLIKELY(tracking_c_calls))
            tracking_call(code, a[0], wanted_c(a[2]), a[2]);
        break;
    case FRAME_LINE:
        if (UNLIKELY(tracking_lines) && code->lined)
            tracking_line(code, a[0], number(a[1]));
        break;
    case FRAME_RAISE:
        if (UNLIKELY(tracking_lines) && code->lined && !tracking_is_no_error(a[2]))
            tracking_error(code, a[0]);
        break;
    default:
        break;
    }
}

/* LINE needs the starts to stay enabled (compat_line_needs_start()). */
ALWAYS_INLINE bool wants_lines(void) {
    return probe_on(PROBE_LINE) || probe_on(PROBE_line);
}

/* Once code__new has fired for a function, its start is of no use to a tracer that wants nothing
 * else: the site is disabled. When something else is wanted, the monitor arms all sites again. */
ALWAYS_INLINE bool is_spent(enum event_frame frame) {
    return frame == FRAME_START && probe_on(PROBE_code__new) && !probe_on(PROBE_PY_START) &&
           !probe_on(PROBE_function__entry) && !tracking_on && !batch_on && !wants_lines();
}

ALWAYS_INLINE PyObject *on_event(enum event event, PyObject *const *a, size_t n) {
    const struct event_traits *traits = &events_traits[event];
    struct code_record *code;

    if (UNLIKELY((n & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != traits->argc))
        return Py_None;
    code = code_find(a[0]);
    if (UNLIKELY(!code))
        return Py_None;
    if (code->rejected)
        return callback_reject(traits->scope);
    before(traits->frame, code, a);
    if (probe_on(event_probe(event)))
        fire(event, code, a);
    fire_compat(traits->frame, code, a);
    if ((event_enters(traits->frame) || event_leaves(traits->frame)) && UNLIKELY(batch_on))
        batch_add(code, batch_kind(traits->frame));
    after(traits->frame, code, a);
    return is_spent(traits->frame) ? callback_reject(traits->scope) : Py_None;
}

#define CALLBACK(name, ...)                                                                        \
    static PyObject *on_##name(PyObject *self, PyObject *const *a, size_t n, PyObject *kwnames) {  \
        (void)self, (void)kwnames;                                                                 \
        return on_event(EVENT_##name, a, n);                                                       \
    }
PYUSDT_EVENTS(CALLBACK)

vectorcallfunc callback_full(enum event event) {
#define CALLBACK_ROW(name, ...) [EVENT_##name] = on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(CALLBACK_ROW)};

    return s_functions[event];
}
