/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/callback.h"

#include "capture/batch.h"
#include "python/callable.h"
#include "capture/c_call.h"
#include "capture/code.h"
#include "probe/demand.h"
#include "capture/tracking.h"
#include "capture/callback_fast.h"
#include "python/text.h"

/* Written under the GIL. */
static PyObject *s_callbacks[EVENT_COUNT];
static PyObject *s_disable;
static bool s_disabled;

/* CPython keeps one object for each of the first integers, all in one array: the number that such
 * an object stands for follows from its address. Written once, at import. */
enum { SMALL_COUNT = 257, SMALL_SIZE = 32 };
static uintptr_t s_small;       /* the address of 0 */
static uintptr_t s_small_bytes; /* of the array from there on; 0 where they do not lie so */

/* The answer to an event that nobody wants, by scope. None is immortal since 3.12 (PEP 683): no
 * reference is counted. */
static PyObject *reject_GLOBAL(void) {
    return Py_None;
}

static PyObject *reject_CALLED(void) {
    return Py_None;
}

PyObject *callback_disable(void) {
    s_disabled = true;
    return Py_NewRef(s_disable);
}

static PyObject *reject_LOCAL(void) {
    return callback_disable();
}

static __attribute__((noinline)) int32_t any_number(PyObject *o) {
    long n = PyLong_CheckExact(o) ? PyLong_AsLong(o) : 0;

    if (__builtin_expect(n == -1, 0))
        PyErr_Clear();
    return (int32_t)n;
}

/* CPython always passes exact integers here, most of them small; anybody else who calls gets a 0.
 */
static inline int32_t number(PyObject *o) {
    uintptr_t distance = (uintptr_t)o - s_small;

    if (__builtin_expect(distance < s_small_bytes, 1))
        return (int32_t)(distance / SMALL_SIZE);
    return any_number(o);
}

static const char *value_text(PyObject *value, char *buffer) {
    return text_value(value, text_mode, buffer);
}

static const char *callable_text(PyObject *callable, char *buffer) {
    if (text_mode == TEXT_OFF)
        return "";
    return text_callable(callable, buffer);
}

/* The line at which the running frame stands: where the exception happens. Instructions that the
 * compiler adds belong to no line: then the function's first one. */
static int32_t current_line(const struct code_record *code) {
    PyFrameObject *frame = PyEval_GetFrame();
    int32_t line = frame ? PyFrame_GetLineNumber(frame) : 0;

    return line > 0 ? line : code->line;
}

static const char *exception_text(PyObject *exception, char *buffer) {
    if (text_mode == TEXT_OFF)
        return "";
    return text_exception(exception, buffer);
}

/* CPython hands over the StopIteration that it spares itself; what it carries is the value. */
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

/* One body a shape: `code` is the record, `a` what CPython passed. */
#define FIRE_ENTRY(name)                                                                           \
    probe_##name(code->function, code->file, code->line, number(a[1]), code->qualname, code->id)
#define FIRE_VALUE(name)                                                                           \
    char text[TEXT_SIZE];                                                                          \
    probe_##name(code->function, code->file, code->line, number(a[1]), value_text(a[2], text),     \
                 code->qualname, code->id)
#define FIRE_CALL(name)                                                                            \
    char text[TEXT_SIZE];                                                                          \
    probe_##name(code->function, code->file, code->line, number(a[1]), callable_text(a[2], text),  \
                 code->qualname, code->id)
#define FIRE_STOP(name)                                                                            \
    char text[TEXT_SIZE];                                                                          \
    probe_##name(code->function, code->file, code->line, number(a[1]), stop_text(a[2], text),      \
                 code->qualname, code->id)
#define FIRE_RAISED(name)                                                                          \
    char text[TEXT_SIZE];                                                                          \
    probe_##name(code->function, code->file, current_line(code), number(a[1]),                     \
                 exception_text(a[2], text), code->qualname, code->id)
#define FIRE_LINE(name)                                                                            \
    probe_##name(code->function, code->file, number(a[1]), code->qualname, code->id)

/* How many arguments CPython passes, by shape. */
enum {
    COUNT_ENTRY = 2,
    COUNT_VALUE = 3,
    COUNT_CALL = 4,
    COUNT_STOP = 3,
    COUNT_RAISED = 3,
    COUNT_LINE = 2
};

/* A function's time begins after the tracer's trap at its entry, and ends before the one at its
 * exit. */
#define ENTER(code, kind) (__builtin_expect(tracking_on, 0) ? tracking_enter(code, kind) : (void)0)
#define LEAVE(code, outcome)                                                                       \
    (__builtin_expect(tracking_on, 0) ? tracking_exit(code, outcome) : (void)0)

#define LEAVE_C(outcome)                                                                           \
    (__builtin_expect(tracking_c_calls, 0) ? leave_c(recorded_c(a[2]), outcome) : (void)0)

/* The record of a function in C, NULL where it is none, or none that anybody wants. */
static struct code_record *recorded_c(PyObject *callable) {
    struct code_record *code = c_call_find(callable);

    return code && !code->rejected ? code : NULL;
}

static void leave_c(struct code_record *code, enum calltree_outcome outcome) {
    if (code)
        tracking_exit(code, outcome);
}

/* What is done before and after the event's own probe, by frame. */
#define BEFORE_NONE(code) (void)0
#define BEFORE_START(code) (void)0
#define BEFORE_RESUME(code) (void)0
#define BEFORE_THROW(code) (void)0
#define BEFORE_LINE(code) (void)0
#define BEFORE_CALL(code) (void)0
#define BEFORE_C_RETURN(code) LEAVE_C(CALLTREE_RETURN)
#define BEFORE_C_RAISE(code) LEAVE_C(CALLTREE_UNWIND)
#define BEFORE_RETURN(code) LEAVE(code, CALLTREE_RETURN)
#define BEFORE_YIELD(code) LEAVE(code, CALLTREE_YIELD)
#define BEFORE_UNWIND(code) LEAVE(code, CALLTREE_UNWIND)
#define AFTER_NONE(code) (void)0
#define AFTER_START(code) ENTER(code, CALLTREE_START)
#define AFTER_RESUME(code) ENTER(code, CALLTREE_RESUME)
#define AFTER_THROW(code) ENTER(code, CALLTREE_THROW)
#define AFTER_LINE(code) (void)0
#define AFTER_CALL(code)                                                                           \
    (__builtin_expect(tracking_c_calls, 0) ? tracking_call(code, recorded_c(a[2]), a[2]) : (void)0)
#define AFTER_C_RETURN(code) (void)0
#define AFTER_C_RAISE(code) (void)0
#define AFTER_RETURN(code) (void)0
#define AFTER_YIELD(code) (void)0
#define AFTER_UNWIND(code) (void)0

/* The probes of provider python, as CPython 3.6 to 3.10 fired them: at every entry of a frame, and
 * so also where a generator or coroutine goes on or is thrown into, and at every exit, and so also
 * at a yield or an exception; `line` is the one where the frame stands. A call that makes a
 * generator enters nothing (in CPython 3.15 it fires function__entry, and a throw does not: cpython
 * #142397). */
#define COMPAT(name, code, line)                                                                   \
    (probe_on(PROBE_##name) ? probe_##name((code)->file, (code)->function, line) : (void)0)
#define COMPAT_NONE(code) (void)0
#define COMPAT_START(code) COMPAT(function__entry, code, (code)->line)
#define COMPAT_RESUME(code) COMPAT(function__entry, code, current_line(code))
#define COMPAT_THROW(code) COMPAT(function__entry, code, current_line(code))
#define COMPAT_LINE(code) COMPAT(line, code, number(a[1]))
#define COMPAT_CALL(code) (void)0
#define COMPAT_C_RETURN(code) (void)0
#define COMPAT_C_RAISE(code) (void)0
#define COMPAT_RETURN(code) COMPAT(function__return, code, current_line(code))
#define COMPAT_YIELD(code) COMPAT(function__return, code, current_line(code))
#define COMPAT_UNWIND(code) COMPAT(function__return, code, current_line(code))

/* The batch tells of entries and exits alone. */
#define BATCH(code, kind) (__builtin_expect(batch_on, 0) ? batch_add(code, kind) : (void)0)
#define BATCH_NONE(code) (void)0
#define BATCH_START(code) BATCH(code, PYUSDT_KIND_START)
#define BATCH_RESUME(code) BATCH(code, PYUSDT_KIND_RESUME)
#define BATCH_THROW(code) BATCH(code, PYUSDT_KIND_THROW)
#define BATCH_LINE(code) (void)0
#define BATCH_CALL(code) (void)0
#define BATCH_C_RETURN(code) (void)0
#define BATCH_C_RAISE(code) (void)0
#define BATCH_RETURN(code) BATCH(code, PYUSDT_KIND_RETURN)
#define BATCH_YIELD(code) BATCH(code, PYUSDT_KIND_YIELD)
#define BATCH_UNWIND(code) BATCH(code, PYUSDT_KIND_UNWIND)

/* Once code__new has told of a function, its start is of no use to a tracer that wants nothing
 * else: the site is disabled. When something else is wanted, the monitor arms all sites again. */
#define SPENT_START                                                                                \
    (probe_on(PROBE_code__new) && !probe_on(PROBE_PY_START) && !probe_on(PROBE_function__entry) && \
     !tracking_on && !batch_on)
#define SPENT_NONE false
#define SPENT_RESUME false
#define SPENT_THROW false
#define SPENT_LINE false
#define SPENT_CALL false
#define SPENT_C_RETURN false
#define SPENT_C_RAISE false
#define SPENT_RETURN false
#define SPENT_YIELD false
#define SPENT_UNWIND false

#define CALLBACK(name, shape, scope, frame, ...)                                                   \
    static PyObject *on_##name(PyObject *self, PyObject *const *a, size_t n, PyObject *kwnames) {  \
        struct code_record *code;                                                                  \
                                                                                                   \
        (void)self, (void)kwnames;                                                                 \
        if (__builtin_expect((n & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != COUNT_##shape, 0))           \
            return Py_None;                                                                        \
        code = code_find(a[0]);                                                                    \
        if (__builtin_expect(!code, 0))                                                            \
            return Py_None;                                                                        \
        if (code->rejected)                                                                        \
            return reject_##scope();                                                               \
        BEFORE_##frame(code);                                                                      \
        if (probe_on(PROBE_##name)) {                                                              \
            FIRE_##shape(name);                                                                    \
        }                                                                                          \
        COMPAT_##frame(code);                                                                      \
        BATCH_##frame(code);                                                                       \
        AFTER_##frame(code);                                                                       \
        if (SPENT_##frame)                                                                         \
            return reject_##scope();                                                               \
        return Py_None;                                                                            \
    }
PYUSDT_EVENTS(CALLBACK)

#define CALLBACK_ROW(name, ...) [EVENT_##name] = on_##name,
static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(CALLBACK_ROW)};

/* 0, or -1 with an exception set. That they lie otherwise is no error. */
static int find_small_numbers(void) {
    uintptr_t bytes = (uintptr_t)SMALL_COUNT * SMALL_SIZE;

    for (int i = 0; i < SMALL_COUNT; i++) {
        PyObject *o = PyLong_FromLong(i);

        if (!o)
            return -1;
        if (i == 0)
            s_small = (uintptr_t)o;
        if ((uintptr_t)o != s_small + (uintptr_t)i * SMALL_SIZE)
            bytes = 0;
        Py_DECREF(o);
    }
    s_small_bytes = bytes;
    return 0;
}

vectorcallfunc callback_whole(enum event event) {
    return s_functions[event];
}

/* code__new is told where a function is met, whatever the callback does. */
void callback_apply(probe_mask wanted) {
    probe_mask beside = wanted & ~PROBE_BIT(PROBE_code__new);
    vectorcallfunc (*choose)(enum event) = callback_whole;

    if ((wanted & ~DEMAND_C_CALLS) == DEMAND_RECORDER)
        choose = callback_fast_recorder;
    else if (beside && !(beside & ~TRACKING_PROBES))
        choose = callback_fast_tracer;
    else if (beside == PROBE_BIT(PROBE_events))
        choose = callback_fast_batch;
    for (int e = 0; e < EVENT_COUNT; e++)
        ((struct callable *)s_callbacks[e])->call = choose((enum event)e);
}

int callback_init(PyObject *disable) {
    if (find_small_numbers() < 0)
        return -1;
    for (int e = 0; e < EVENT_COUNT; e++) {
        s_callbacks[e] = callable_new(s_functions[e], NULL);
        if (!s_callbacks[e])
            return -1;
    }
    s_disable = Py_NewRef(disable);
    return 0;
}

PyObject *callback_of(enum event event) {
    return s_callbacks[event];
}

bool callback_take_disabled(void) {
    bool disabled = s_disabled;

    s_disabled = false;
    return disabled;
}
