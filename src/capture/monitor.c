/* SPDX-License-Identifier: Apache-2.0
 *
 * The only file that calls sys.monitoring. monitor_apply() brings three things of CPython's in line
 * with the events that are wanted: the tool id, the callbacks, and the set of enabled events.
 *
 * Life. The first event claims a tool id (4, 3 or 2), the last one gives it back, so that a program
 * that is not traced has all ids to itself. Within that, callbacks are registered before their
 * event is enabled and taken back after it is disabled, because an event without a callback still
 * costs a dispatch. If any step fails, everything is given back and nothing is enabled: a half-done
 * state would cost the program and report nothing.
 *
 * The tool id may be lost: another tool can free it and use it. The id is ours only while its name
 * is the very str that we registered; every change checks that first.
 *
 * DISABLE. A site that a callback has disabled stays disabled for the tool id, whatever is enabled
 * later. Only restart_events() arms it again, and it does so for all tools. It is called only if a
 * callback has disabled a site since the last time.
 *
 * Local events. Lines are wanted of some functions only, so LINE is enabled in their code objects,
 * and the rest of the program pays nothing. Before 3.14, free_tool_id() leaves local events as they
 * are (cpython #111963): they are taken off first. Code that refuses them is left alone, as
 * Cython's stand-ins do (cython #6901).
 *
 * Differences between Pythons. The bits of the events are read at import, and an event that this
 * Python lacks is ignored. Where events would break the JIT's code, none is ever enabled.
 *
 * Threads. All of it runs under the GIL. The calls are CPython's own functions, taken at import: no
 * user code runs but for audit hooks. s_tool and s_events are read by any thread.
 */
#include "capture/monitor.h"

#include <Python.h>
#include <stdbool.h>

#include "capture/callback.h"
#include "capture/code.h"
#include "capture/lined.h"
#include "python/compat.h"

/* 0 is for debuggers, 1 for coverage, 2 for cProfile and viztracer, 5 for optimizers. */
static const int s_candidates[] = {4, 3, 2};

static const char *const s_names[EVENT_COUNT] = {
#define EVENT_NAME(name, ...) [EVENT_##name] = #name,
    PYUSDT_EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

/* Events that set_events() accepts. It refuses C_RETURN and C_RAISE, which CALL brings along. */
enum { SETTABLE_LOCAL = 1, SETTABLE_GLOBAL = 1, SETTABLE_CALLED = 0 };
static const bool s_settable[EVENT_COUNT] = {
#define EVENT_SETTABLE(name, shape, scope, ...) [EVENT_##name] = SETTABLE_##scope,
    PYUSDT_EVENTS(EVENT_SETTABLE)
#undef EVENT_SETTABLE
};

/* The functions of sys.monitoring, taken at import: a program may replace them by code of its own
 * later. */
/* clang-format off */
#define FUNCTIONS(X) \
    X(get_tool) X(use_tool_id) X(free_tool_id) X(register_callback) X(set_events) \
    X(set_local_events) X(restart_events)
/* clang-format on */

/* Written under the GIL; what is atomic is read without it. */
static PyObject *s_tool_name;    /* compared by identity: another tool may have the same name */
static long s_bits[EVENT_COUNT]; /* CPython's bit of each event, 0 where this Python lacks it */
static enum compat_jit s_jit;    /* read again until it is known */
static _Atomic int s_tool = -1;
static _Atomic event_mask s_events; /* enabled */
static event_mask s_local;          /* enabled in code whose record is lined */
static event_mask s_registered;     /* with a registered callback */
#define FUNCTION_VARIABLE(name) static PyObject *s_##name;
FUNCTIONS(FUNCTION_VARIABLE)

/* Call function(...) and drop the result. 0 or -1; no exception is left. */
static int call(PyObject *function, const char *format, ...) {
    PyObject *arguments = NULL, *result = NULL;
    va_list values;

    va_start(values, format);
    arguments = Py_VaBuildValue(format, values);
    va_end(values);
    if (arguments)
        result = PyObject_CallObject(function, arguments);
    Py_XDECREF(arguments);
    Py_XDECREF(result);
    PyErr_Clear();
    return result ? 0 : -1;
}

/* The name of the tool that holds an id: a new reference, None if the id is free, NULL (and no
 * exception) on failure. */
static PyObject *holder(int tool) {
    PyObject *name = PyObject_CallFunction(s_get_tool, "i", tool);

    PyErr_Clear();
    return name;
}

static bool still_ours(void) {
    PyObject *name = holder(s_tool);
    bool ours = name == s_tool_name;

    Py_XDECREF(name);
    return ours;
}

/* Register the callbacks of `events`, or unregister them. 0 or, at the first failure, -1. */
static int register_callbacks(event_mask events, bool on) {
    for (int e = 0; e < EVENT_COUNT; e++) {
        if (!(events & (event_mask)1 << e))
            continue;
        if (call(s_register_callback, "(ilO)", s_tool, s_bits[e],
                 on ? callback_of((enum event)e) : Py_None) < 0)
            return -1;
        s_registered ^= (event_mask)1 << e;
    }
    return 0;
}

static long bits_of(event_mask events) {
    long bits = 0;

    for (int e = 0; e < EVENT_COUNT; e++)
        if (events & (event_mask)1 << e && s_settable[e])
            bits |= s_bits[e];
    return bits;
}

static int set_events(event_mask events) {
    if (call(s_set_events, "(il)", s_tool, bits_of(events)) < 0)
        return -1;
    s_events = events;
    return 0;
}

static bool wants_local(const struct code_record *record) {
    return record->lined && s_local;
}

static void set_local(PyObject *code, struct code_record *record) {
    if (wants_local(record) == record->local)
        return;
    if (!record->local)
        lined_cover(record, code);
    call(s_set_local_events, "(iOl)", s_tool, code, record->local ? 0 : bits_of(s_local));
}

/* A record may have many code objects: its flag changes once all have been seen. */
static void note_local(struct code_record *record, void *unused) {
    (void)unused;
    record->local = wants_local(record);
}

/* A new code object: its record may have others. */
static void on_lined(PyObject *code, struct code_record *record) {
    if (!s_local || !still_ours())
        return;
    record->local = false;
    set_local(code, record);
    record->local = true;
}

void monitor_reline(void) {
    if (s_tool >= 0 && still_ours())
        code_each(set_local);
    code_each_record(note_local);
}

/* Sites that a callback disabled stay disabled for this tool id, across set_events() and
 * free_tool_id(), even for its next holder. Only restart_events() arms them again, along with those
 * of all other tools. */
static void restart_disabled(void) {
    if (callback_take_disabled())
        call(s_restart_events, "()");
}

/* Give everything back. Failures are ignored: the other steps are still worth taking. */
static void release(void) {
    if (s_tool < 0)
        return;
    s_local = 0;
    monitor_reline();
    if (still_ours()) {
        /* Before 3.14, free_tool_id() leaves the tool's events and callbacks in place. */
        set_events(0);
        register_callbacks(s_registered, false);
        restart_disabled();
        call(s_free_tool_id, "(i)", s_tool);
    }
    s_tool = -1;
    s_events = s_registered = 0;
}

static int claim(void) {
    for (size_t i = 0; i < sizeof s_candidates / sizeof *s_candidates; i++) {
        PyObject *name = holder(s_candidates[i]);
        bool vacant = name == Py_None;

        Py_XDECREF(name);
        if (vacant && call(s_use_tool_id, "(iO)", s_candidates[i], s_tool_name) == 0) {
            s_tool = s_candidates[i];
            return 0;
        }
    }
    return -1;
}

/* The events of `events` that this Python has, and what they need in it. */
static event_mask supported(event_mask events) {
    if (events & NEED(LINE) && compat_line_needs_start())
        events |= NEED(PY_START);
    for (int e = 0; e < EVENT_COUNT; e++)
        if (!s_bits[e])
            events &= ~((event_mask)1 << e);
    return events;
}

static int apply(event_mask events, event_mask local) {
    event_mask called = events | local;

    /* Callbacks first: an event without one still costs a dispatch each time. */
    if (register_callbacks(called & ~s_registered, true) < 0 ||
        (events != s_events && set_events(events) < 0))
        return -1;
    if (local || s_local) {
        s_local = local;
        monitor_reline();
    }
    return register_callbacks(s_registered & ~called, false);
}

int monitor_apply(event_mask events, event_mask local) {
    events = supported(events);
    if (s_tool >= 0 && (!events || !still_ours()))
        release();
    if (!events)
        return 0;
    if (s_jit == COMPAT_JIT_UNKNOWN)
        s_jit = compat_jit();
    if (s_jit != COMPAT_JIT_HARMLESS)
        return s_jit == COMPAT_JIT_SPOILS ? MONITOR_JIT : MONITOR_EARLY;
    if (s_tool < 0 && claim() < 0)
        return MONITOR_NO_TOOL;
    if (apply(events, supported(local) & local) < 0) {
        release();
        return MONITOR_REFUSED;
    }
    restart_disabled();
    return 0;
}

bool monitor_is_robbed(void) {
    return s_tool >= 0 && !still_ours();
}

void monitor_rearm(void) {
    if (s_tool >= 0)
        restart_disabled();
}

event_mask monitor_events(void) {
    return s_events;
}

int monitor_tool(void) {
    return s_tool;
}

/* The bits of the events differ between versions: read them. */
static int read_bits(PyObject *events) {
    for (int e = 0; e < EVENT_COUNT; e++) {
        PyObject *bit = PyObject_GetAttrString(events, s_names[e]);

        if (bit)
            s_bits[e] = PyLong_AsLong(bit);
        else if (PyErr_ExceptionMatches(PyExc_AttributeError))
            PyErr_Clear();
        Py_XDECREF(bit);
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

static int read_functions(PyObject *monitoring) {
#define FUNCTION_READ(name)                                                                        \
    s_##name = PyObject_GetAttrString(monitoring, #name);                                          \
    if (!s_##name)                                                                                 \
        return -1;
    FUNCTIONS(FUNCTION_READ)
    return 0;
}

int monitor_init(void) {
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    PyObject *events = NULL, *disable = NULL;
    int ret = -1;

    if (!monitoring) {
        PyErr_SetString(PyExc_ImportError, "pyusdt needs sys.monitoring (PEP 669)");
        goto out;
    }
    s_jit = compat_jit();
    code_lined = on_lined;
    s_tool_name = PyUnicode_FromString("pyusdt");
    events = PyObject_GetAttrString(monitoring, "events");
    disable = PyObject_GetAttrString(monitoring, "DISABLE");
    if (!s_tool_name || !events || !disable || read_functions(monitoring) < 0)
        goto out;
    if (read_bits(events) < 0 || callback_init(disable) < 0)
        goto out;
    ret = 0;
out:
    Py_XDECREF(events);
    Py_XDECREF(disable);
    return ret;
}
