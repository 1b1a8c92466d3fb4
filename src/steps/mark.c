/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/mark.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "probe/probes.h"
#include "python/arguments.h"
#include "python/text.h"
#include "steps/step.h"

/* A double from this on does not fit an int64_t. */
#define INT64_LIMIT 0x1p63

/* The value of an int or a float, cut towards zero, without running code of a subclass. 0 for
 * anything else, and for a value that does not fit. */
static int64_t integer_of(PyObject *value) {
    int overflow = 0;
    double real;

    if (PyLong_Check(value)) {
        long long integer = PyLong_AsLongLongAndOverflow(value, &overflow);

        return overflow ? 0 : integer;
    }
    if (!PyFloat_Check(value))
        return 0;
    real = PyFloat_AsDouble(value);
    return real > -INT64_LIMIT && real < INT64_LIMIT ? (int64_t)real : 0; /* NaN compares false */
}

/* A value of None means that there is none. */
static void fire(const char *name, PyObject *value) {
    char buf[TEXT_SIZE];

    if (value == Py_None)
        probe_mark(name, "", 0);
    else
        probe_mark(name, text_value(value, text_mode, buf), integer_of(value));
}

static NOINLINE void report(PyObject *name, PyObject *value) {
    char buf[STEP_NAME_SIZE];
    const char *text = step_text(name, buf);

    if (step_sink)
        step_sink->mark(text, clock_ticks(), value);
    if (probe_on(PROBE_mark))
        fire(text, value);
}

PyObject *mark_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const char *const names[] = {"name", "value", NULL};
    static const struct parameters parameters = {"mark", names};
    PyObject *values[] = {NULL, Py_None};

    (void)module;
    if (arguments_read(&parameters, args, nargs, kwnames, values) < 0 ||
        arguments_check_name("mark", values[0]) < 0)
        return NULL;
    if (probe_on(PROBE_mark) || step_sink)
        report(values[0], values[1]);
    Py_RETURN_NONE;
}
