/* SPDX-License-Identifier: Apache-2.0 */
#include "lean.h"

#include "callback.h"
#include "ccall.h"
#include "code.h"
#include "follow.h"

/* How many arguments CPython passes, by how a function is entered or left. */
enum { COUNT_START = 2, COUNT_RESUME = 2, COUNT_THROW = 3 };
enum { COUNT_RETURN = 3, COUNT_YIELD = 3, COUNT_UNWIND = 3 };
enum { COUNT_CALL = 4, COUNT_C_RETURN = 4, COUNT_C_RAISE = 4 };
enum { COUNT_NONE = 0, COUNT_LINE = 0 };

/* The answer to an event that nobody wants, by scope. None is immortal since 3.12 (PEP 683). */
#define REJECT_LOCAL callback_disable()
#define REJECT_GLOBAL Py_None
#define REJECT_CALLED Py_None

static inline bool is_wanted(const struct code_record *code) {
    return !(code->rejected | code->unrecorded);
}

/* NULL where it is no function in C, or none that is wanted. */
static inline struct code_record *wanted_c(PyObject *callable) {
    struct code_record *code = ccall_find(callable);

    return code && is_wanted(code) ? code : NULL;
}

/* What is left was, almost always, entered last, and is known by its object: no lookup. */
static __attribute__((noinline)) bool leave(PyObject *object, enum calltree_outcome outcome) {
    struct code_record *code = code_find(object);

    if (code && !is_wanted(code))
        return false;
    if (code)
        follow_exit(code, outcome);
    return true;
}

/* Of a call by a function that is not wanted the beginning was not heard either. */
static __attribute__((noinline)) void leave_c(PyObject *by, PyObject *callable,
                                              enum calltree_outcome outcome) {
    struct code_record *caller = code_find(by), *code = wanted_c(callable);

    if (caller && is_wanted(caller) && code)
        follow_exit(code, outcome);
}

#define ENTER(reject, kind)                                                                        \
    struct code_record *code = code_find(a[0]);                                                    \
                                                                                                   \
    if (__builtin_expect(!code, 0))                                                                \
        return Py_None;                                                                            \
    if (__builtin_expect(!is_wanted(code), 0))                                                     \
        return reject;                                                                             \
    follow_enter_recorded(code, a[0], kind)
#define LEAVE(reject, outcome)                                                                     \
    if (!follow_exit_recorded(a[0], outcome) && !leave(a[0], outcome))                             \
    return reject
#define LEAVE_C(outcome)                                                                           \
    if (!follow_exit_recorded(a[2], outcome))                                                      \
    leave_c(a[0], a[2], outcome)

/* By frame: `reject` is what is returned where the event is not wanted. */
#define RECORD_NONE(reject) (void)0
#define RECORD_LINE(reject) (void)0
#define RECORD_START(reject) ENTER(reject, CALLTREE_START)
#define RECORD_RESUME(reject) ENTER(reject, CALLTREE_RESUME)
#define RECORD_THROW(reject) ENTER(reject, CALLTREE_THROW)
#define RECORD_RETURN(reject) LEAVE(reject, CALLTREE_RETURN)
#define RECORD_YIELD(reject) LEAVE(reject, CALLTREE_YIELD)
#define RECORD_UNWIND(reject) LEAVE(reject, CALLTREE_UNWIND)
#define RECORD_CALL(reject)                                                                        \
    struct code_record *code = code_find(a[0]);                                                    \
                                                                                                   \
    if (__builtin_expect(!code, 0))                                                                \
        return Py_None;                                                                            \
    if (__builtin_expect(!is_wanted(code), 0))                                                     \
        return reject;                                                                             \
    follow_call_recorded(code, wanted_c(a[2]), a[2])
#define RECORD_C_RETURN(reject) LEAVE_C(CALLTREE_RETURN)
#define RECORD_C_RAISE(reject) LEAVE_C(CALLTREE_UNWIND)

#define LEAN_CALLBACK(name, shape, scope, frame, ...)                                              \
    static PyObject *on_##name(PyObject *self, PyObject *const *a, size_t n, PyObject *kwnames) {  \
        (void)self, (void)kwnames, (void)a;                                                        \
        if (__builtin_expect((n & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != COUNT_##frame, 0))           \
            return Py_None;                                                                        \
        RECORD_##frame(REJECT_##scope);                                                            \
        return Py_None;                                                                            \
    }
PYUSDT_EVENTS(LEAN_CALLBACK)

vectorcallfunc lean_of(enum event event) {
#define LEAN_ROW(name, ...) [EVENT_##name] = on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(LEAN_ROW)};

    return s_functions[event];
}
