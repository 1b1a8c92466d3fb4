/* SPDX-License-Identifier: Apache-2.0 */
#include "lean.h"

#include "callback.h"
#include "code.h"
#include "follow.h"

/* How many arguments CPython passes, by how the function is entered or left. */
enum { COUNT_NONE = 0, COUNT_LINE = 0, COUNT_START = 2, COUNT_RESUME = 2, COUNT_THROW = 3 };
enum { COUNT_RETURN = 3, COUNT_YIELD = 3, COUNT_UNWIND = 3 };

/* The answer to an event that nobody wants, by scope. */
#define REJECT_LOCAL callback_disable()
#define REJECT_GLOBAL Py_None /* immortal since 3.12 (PEP 683) */
#define REJECT_CALLED Py_None

#define RECORD_NONE(code) (void)0
#define RECORD_LINE(code) (void)0
#define RECORD_START(code) follow_enter_recorded(code, CALLTREE_START)
#define RECORD_RESUME(code) follow_enter_recorded(code, CALLTREE_RESUME)
#define RECORD_THROW(code) follow_enter_recorded(code, CALLTREE_THROW)
#define RECORD_RETURN(code) follow_exit_recorded(code, CALLTREE_RETURN)
#define RECORD_YIELD(code) follow_exit_recorded(code, CALLTREE_YIELD)
#define RECORD_UNWIND(code) follow_exit_recorded(code, CALLTREE_UNWIND)

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
        if (__builtin_expect(code->rejected, 0))                                                   \
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
