/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/callback_fast.h"

#include "capture/batch.h"
#include "capture/callback.h"
#include "capture/c_call.h"
#include "capture/code.h"
#include "capture/tracking.h"

/* How many arguments CPython passes, by how a function is entered or left. */
enum { COUNT_START = 2, COUNT_RESUME = 2, COUNT_THROW = 3 };
enum { COUNT_RETURN = 3, COUNT_YIELD = 3, COUNT_UNWIND = 3 };
enum { COUNT_CALL = 4, COUNT_C_RETURN = 4, COUNT_C_RAISE = 4 };
enum { COUNT_NONE = 0, COUNT_LINE = 0 };

/* The answer to an event that nobody wants, by scope. None is immortal since 3.12 (PEP 683). */
#define REJECT_LOCAL callback_disable()
#define REJECT_GLOBAL Py_None
#define REJECT_CALLED Py_None

static inline bool record_wants(const struct code_record *code) {
    return !(code->rejected | code->unrecorded);
}

static inline bool told_wants(const struct code_record *code) {
    return !code->rejected;
}

static inline bool batch_wants(const struct code_record *code) {
    return !code->rejected;
}

/* The record of a function in C, NULL where it is none, or none that anybody wants. */
static inline struct code_record *wanted_c(PyObject *callable) {
    struct code_record *code = c_call_find(callable);

    return code && record_wants(code) ? code : NULL;
}

/* Of a call by a function that is not wanted the beginning was not heard either. */
static __attribute__((noinline)) void leave_c(PyObject *by, PyObject *callable,
                                              enum calltree_outcome outcome) {
    struct code_record *caller = code_find(by), *code = wanted_c(callable);

    if (caller && record_wants(caller) && code)
        tracking_exit(code, outcome);
}

/* Declares `code`, the record of the running function. `reject` is what is returned where the event
 * is not wanted. */
#define FIND(reader, reject)                                                                       \
    struct code_record *code = code_find(a[0]);                                                    \
                                                                                                   \
    if (__builtin_expect(!code, 0))                                                                \
        return Py_None;                                                                            \
    if (__builtin_expect(!reader##_wants(code), 0))                                                \
    return reject

#define ENTER(reader, reject, timed, kind)                                                         \
    FIND(reader, reject);                                                                          \
    tracking_enter_fast(code, a[0], timed, kind)

/* What is left was, almost always, entered last, and is known by its object: no lookup. */
#define LEAVE(reader, reject, left, outcome)                                                       \
    if (__builtin_expect(!left(a[0], outcome), 0)) {                                               \
        FIND(reader, reject);                                                                      \
        tracking_exit(code, outcome);                                                              \
    }
#define LEAVE_C(outcome)                                                                           \
    if (!tracking_exit_recorded(a[2], outcome))                                                    \
    leave_c(a[0], a[2], outcome)

#define record_NONE(reject) (void)0
#define record_LINE(reject) (void)0
#define record_START(reject) ENTER(record, reject, true, CALLTREE_START)
#define record_RESUME(reject) ENTER(record, reject, true, CALLTREE_RESUME)
#define record_THROW(reject) ENTER(record, reject, true, CALLTREE_THROW)
#define record_RETURN(reject) LEAVE(record, reject, tracking_exit_recorded, CALLTREE_RETURN)
#define record_YIELD(reject) LEAVE(record, reject, tracking_exit_recorded, CALLTREE_YIELD)
#define record_UNWIND(reject) LEAVE(record, reject, tracking_exit_recorded, CALLTREE_UNWIND)
#define record_CALL(reject)                                                                        \
    FIND(record, reject);                                                                          \
    tracking_call_recorded(code, wanted_c(a[2]), a[2])
#define record_C_RETURN(reject) LEAVE_C(CALLTREE_RETURN)
#define record_C_RAISE(reject) LEAVE_C(CALLTREE_UNWIND)

#define told_NONE(reject) (void)0
#define told_LINE(reject) (void)0
#define told_START(reject) ENTER(told, reject, tracking_timed, CALLTREE_START)
#define told_RESUME(reject) ENTER(told, reject, tracking_timed, CALLTREE_RESUME)
#define told_THROW(reject) ENTER(told, reject, tracking_timed, CALLTREE_THROW)
#define told_RETURN(reject) LEAVE(told, reject, tracking_exit_traced, CALLTREE_RETURN)
#define told_YIELD(reject) LEAVE(told, reject, tracking_exit_traced, CALLTREE_YIELD)
#define told_UNWIND(reject) LEAVE(told, reject, tracking_exit_traced, CALLTREE_UNWIND)
#define told_CALL(reject) (void)0
#define told_C_RETURN(reject) (void)0
#define told_C_RAISE(reject) (void)0

#define ADD(reject, kind)                                                                          \
    FIND(batch, reject);                                                                           \
    batch_add(code, kind)

#define batch_NONE(reject) (void)0
#define batch_LINE(reject) (void)0
#define batch_START(reject) ADD(reject, PYUSDT_KIND_START)
#define batch_RESUME(reject) ADD(reject, PYUSDT_KIND_RESUME)
#define batch_THROW(reject) ADD(reject, PYUSDT_KIND_THROW)
#define batch_RETURN(reject) ADD(reject, PYUSDT_KIND_RETURN)
#define batch_YIELD(reject) ADD(reject, PYUSDT_KIND_YIELD)
#define batch_UNWIND(reject) ADD(reject, PYUSDT_KIND_UNWIND)
#define batch_CALL(reject) (void)0
#define batch_C_RETURN(reject) (void)0
#define batch_C_RAISE(reject) (void)0

/* Tracers attach probe by probe. One that goes on with the event's own probe does not wait for the
 * watcher's next look, while the event is on already and seems to be heard. The recorder spares
 * itself the question: it is the hottest path, and whoever comes then is heard from that look on.
 */
#define MORE(name) __builtin_expect(probe_on(PROBE_##name), 0)
#define record_MORE(name) false
#define told_MORE(name) MORE(name)
#define batch_MORE(name) MORE(name)

#define LEAN_CALLBACK(reader, name, scope, frame)                                                  \
    static PyObject *reader##_on_##name(PyObject *self, PyObject *const *a, size_t n,              \
                                        PyObject *kwnames) {                                       \
        if (reader##_MORE(name))                                                                   \
            return callback_whole(EVENT_##name)(self, a, n, kwnames);                              \
        if (__builtin_expect((n & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != COUNT_##frame, 0))           \
            return Py_None;                                                                        \
        reader##_##frame(REJECT_##scope);                                                          \
        return Py_None;                                                                            \
    }
#define LEAN_CALLBACKS(name, shape, scope, frame, ...)                                             \
    LEAN_CALLBACK(record, name, scope, frame)                                                      \
    LEAN_CALLBACK(told, name, scope, frame)                                                        \
    LEAN_CALLBACK(batch, name, scope, frame)
PYUSDT_EVENTS(LEAN_CALLBACKS)

vectorcallfunc callback_fast_recorder(enum event event) {
#define LEAN_RECORD_ROW(name, ...) [EVENT_##name] = record_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(LEAN_RECORD_ROW)};

    return s_functions[event];
}

vectorcallfunc callback_fast_tracer(enum event event) {
#define LEAN_TOLD_ROW(name, ...) [EVENT_##name] = told_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(LEAN_TOLD_ROW)};

    return s_functions[event];
}

vectorcallfunc callback_fast_batch(enum event event) {
#define LEAN_BATCH_ROW(name, ...) [EVENT_##name] = batch_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(LEAN_BATCH_ROW)};

    return s_functions[event];
}
