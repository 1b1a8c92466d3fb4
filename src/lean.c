/* SPDX-License-Identifier: Apache-2.0 */
#include "lean.h"

#include "batch.h"
#include "callback.h"
#include "ccall.h"
#include "code.h"
#include "follow.h"

/* How many arguments CPython passes, by how a function is entered or left. */
enum { COUNT_START = 2, COUNT_RESUME = 2, COUNT_THROW = 3 };
enum { COUNT_RETURN = 3, COUNT_YIELD = 3, COUNT_UNWIND = 3 };
enum { COUNT_CALL = 4, COUNT_C_RETURN = 4, COUNT_C_RAISE = 4 };
enum { COUNT_NONE = 0, COUNT_LINE = 0 };

/* The answer to an event that nobody wants, by scope. */
#define REJECT_LOCAL callback_disable()
#define REJECT_GLOBAL Py_None /* immortal since 3.12 (PEP 683) */
#define REJECT_CALLED Py_None

static inline bool record_wants(const struct code_record *code) {
    return !(code->rejected | code->unrecorded);
}

/* NULL where it is no function in C, or none that is wanted. */
static inline struct code_record *wanted_c(PyObject *callable) {
    struct code_record *code = ccall_find(callable);

    return code && record_wants(code) ? code : NULL;
}

static inline void leave_c(struct code_record *code, enum calltree_outcome outcome) {
    if (code)
        follow_exit_recorded(code, outcome);
}

#define record_NONE(code) (void)0
#define record_LINE(code) (void)0
#define record_START(code) follow_enter_recorded(code, CALLTREE_START)
#define record_RESUME(code) follow_enter_recorded(code, CALLTREE_RESUME)
#define record_THROW(code) follow_enter_recorded(code, CALLTREE_THROW)
#define record_RETURN(code) follow_exit_recorded(code, CALLTREE_RETURN)
#define record_YIELD(code) follow_exit_recorded(code, CALLTREE_YIELD)
#define record_UNWIND(code) follow_exit_recorded(code, CALLTREE_UNWIND)
#define record_CALL(code) follow_call(code, wanted_c(a[2]))
#define record_C_RETURN(code) leave_c(wanted_c(a[2]), CALLTREE_RETURN)
#define record_C_RAISE(code) leave_c(wanted_c(a[2]), CALLTREE_UNWIND)

static inline bool batch_wants(const struct code_record *code) {
    return !code->rejected;
}

#define batch_NONE(code) (void)0
#define batch_LINE(code) (void)0
#define batch_START(code) batch_add(code, PYUSDT_KIND_START)
#define batch_RESUME(code) batch_add(code, PYUSDT_KIND_RESUME)
#define batch_THROW(code) batch_add(code, PYUSDT_KIND_THROW)
#define batch_RETURN(code) batch_add(code, PYUSDT_KIND_RETURN)
#define batch_YIELD(code) batch_add(code, PYUSDT_KIND_YIELD)
#define batch_UNWIND(code) batch_add(code, PYUSDT_KIND_UNWIND)
#define batch_CALL(code) (void)0
#define batch_C_RETURN(code) (void)0
#define batch_C_RAISE(code) (void)0

#define LEAN_CALLBACK(reader, name, scope, frame)                                                  \
    static PyObject *reader##_on_##name(PyObject *self, PyObject *const *a, size_t n,              \
                                        PyObject *kwnames) {                                       \
        struct code_record *code;                                                                  \
                                                                                                   \
        (void)self, (void)kwnames;                                                                 \
        if (__builtin_expect((n & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != COUNT_##frame, 0))           \
            return Py_None;                                                                        \
        code = code_find(a[0]);                                                                    \
        if (__builtin_expect(!code, 0))                                                            \
            return Py_None;                                                                        \
        if (__builtin_expect(!reader##_wants(code), 0))                                            \
            return REJECT_##scope;                                                                 \
        reader##_##frame(code);                                                                    \
        return Py_None;                                                                            \
    }
#define LEAN_CALLBACKS(name, shape, scope, frame, ...)                                             \
    LEAN_CALLBACK(record, name, scope, frame) LEAN_CALLBACK(batch, name, scope, frame)
PYUSDT_EVENTS(LEAN_CALLBACKS)

vectorcallfunc lean_recorded(enum event event) {
#define LEAN_RECORD_ROW(name, ...) [EVENT_##name] = record_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(LEAN_RECORD_ROW)};

    return s_functions[event];
}

vectorcallfunc lean_batched(enum event event) {
#define LEAN_BATCH_ROW(name, ...) [EVENT_##name] = batch_on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(LEAN_BATCH_ROW)};

    return s_functions[event];
}
