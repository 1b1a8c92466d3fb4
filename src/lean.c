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

/* The answer to an event that nobody wants, by scope. */
#define REJECT_LOCAL callback_disable()
#define REJECT_GLOBAL Py_None /* immortal since 3.12 (PEP 683) */
#define REJECT_CALLED Py_None

static inline bool is_wanted(const struct code_record *code) {
    return !(code->rejected | code->unrecorded);
}

/* NULL where it is no function in C, or none that is wanted. */
static inline struct code_record *wanted_c(PyObject *callable) {
    struct code_record *code = ccall_find(callable);

    return code && is_wanted(code) ? code : NULL;
}

static inline void leave_c(struct code_record *code, enum calltree_outcome outcome) {
    if (code)
        follow_exit_recorded(code, outcome);
}

#define RECORD_NONE(code) (void)0
#define RECORD_LINE(code) (void)0
#define RECORD_START(code) follow_enter_recorded(code, CALLTREE_START)
#define RECORD_RESUME(code) follow_enter_recorded(code, CALLTREE_RESUME)
#define RECORD_THROW(code) follow_enter_recorded(code, CALLTREE_THROW)
#define RECORD_RETURN(code) follow_exit_recorded(code, CALLTREE_RETURN)
#define RECORD_YIELD(code) follow_exit_recorded(code, CALLTREE_YIELD)
#define RECORD_UNWIND(code) follow_exit_recorded(code, CALLTREE_UNWIND)
#define RECORD_CALL(code) follow_call(code, wanted_c(a[2]))
#define RECORD_C_RETURN(code) leave_c(wanted_c(a[2]), CALLTREE_RETURN)
#define RECORD_C_RAISE(code) leave_c(wanted_c(a[2]), CALLTREE_UNWIND)

#define LEAN_CALLBACK(name, shape, scope, frame, ...)                                              \
    static PyObject *on_##name(PyObject *self, PyObject *const *a, size_t n, PyObject *kwnames) {  \
        struct code_record *code;                                                                  \
                                                                                                   \
        (void)self, (void)kwnames;                                                                 \
        if (__builtin_expect((n & ~PY_VECTORCALL_ARGUMENTS_OFFSET) != COUNT_##frame, 0))           \
            return Py_None;                                                                        \
        code = code_find(a[0]);                                                                    \
        if (__builtin_expect(!code, 0))                                                            \
            return Py_None;                                                                        \
        if (__builtin_expect(!is_wanted(code), 0))                                                 \
            return REJECT_##scope;                                                                 \
        RECORD_##frame(code);                                                                      \
        return Py_None;                                                                            \
    }
PYUSDT_EVENTS(LEAN_CALLBACK)

vectorcallfunc lean_of(enum event event) {
#define LEAN_ROW(name, ...) [EVENT_##name] = on_##name,
    static const vectorcallfunc s_functions[EVENT_COUNT] = {PYUSDT_EVENTS(LEAN_ROW)};

    return s_functions[event];
}
