/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/step.h"

#include "base/clock.h"
#include "base/compiler.h"
#include "probe/probes.h"
#include "python/text.h"

/* A name of this many characters always fits, at four bytes each. */
enum { SHORT_NAME = (STEP_NAME_SIZE - 1) / 4 };

const struct step_sink *step_sink;

/* Whether text_name() would change nothing of a text in UTF-8. */
static bool is_plain(const char *text, Py_ssize_t size) {
    const unsigned char *at = (const unsigned char *)text, *end = at + size;

    for (; at < end; at++) {
        bool ascii = *at < 0x20 || *at == 0x7f;
        bool c1 = at[0] == 0xc2 && at[1] < 0xa0;
        bool separator = at[0] == 0xe2 && at[1] == 0x80 && (at[2] & 0xfe) == 0xa8;

        if (ascii || c1 || separator)
            return false;
    }
    return true;
}

/* The UTF-8 that CPython caches in a str: made once, and for ASCII at no cost. NULL for a long str,
 * which should not have to keep a copy, and for one with control characters or lone surrogates. */
static const char *kept_text(PyObject *name) {
    Py_ssize_t size;
    const char *text;

    if (PyUnicode_GetLength(name) > SHORT_NAME)
        return NULL;
    text = PyUnicode_AsUTF8AndSize(name, &size);
    if (!text)
        PyErr_Clear();
    return text && is_plain(text, size) ? text : NULL;
}

const char *step_text(PyObject *name, char buf[STEP_NAME_SIZE]) {
    const char *text = kept_text(name);

    if (text)
        return text;
    text_name(name, buf, STEP_NAME_SIZE);
    return buf;
}

static NOINLINE void report_start(PyObject *name) {
    char buf[STEP_NAME_SIZE];

    probe_step__start(step_text(name, buf));
}

static NOINLINE void report_end(PyObject *name, const struct step_start *start, uint64_t now,
                                bool failed) {
    char buf[STEP_NAME_SIZE];
    const char *text = step_text(name, buf);
    /* Two CPUs may differ by a little. */
    uint64_t elapsed = now > start->ticks ? now - start->ticks : 0;
    struct step_memory memory;
    bool has_memory = step_memory_end(start, now, &memory);

    if (probe_on(PROBE_step__done))
        probe_step__done(text, clock_ns(elapsed));
    if (step_sink)
        step_sink->step(text, start->ticks, elapsed, failed, has_memory ? &memory : NULL);
}

struct step_start step_begin(PyObject *name) {
    if (probe_on(PROBE_step__start))
        report_start(name);
    return step_memory_start(); /* after the trap, which must not count as the step's time */
}

bool step_failed(PyObject *error) {
    return error && error != Py_None && !PyErr_GivenExceptionMatches(error, PyExc_GeneratorExit);
}

void step_end(PyObject *name, const struct step_start *start, bool failed) {
    uint64_t now = clock_ticks();

    if (probe_on(PROBE_step__done) || step_sink)
        report_end(name, start, now, failed);
}

PyObject *step_reduce(const char *function, PyObject *arguments) {
    PyObject *module = arguments ? PyImport_ImportModule("pyusdt.libpyusdt") : NULL;
    PyObject *callable = module ? PyObject_GetAttrString(module, function) : NULL;
    PyObject *reduced = callable ? PyTuple_Pack(2, callable, arguments) : NULL;

    Py_XDECREF(callable);
    Py_XDECREF(module);
    Py_XDECREF(arguments);
    return reduced;
}
