/* SPDX-License-Identifier: Apache-2.0
 *
 * The module pyusdt.libpyusdt: wires the parts and does nothing else.
 */
#include <Python.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/batch.h"
#include "capture/c_call.h"
#include "capture/code.h"
#include "capture/gc.h"
#include "capture/generated.h"
#include "capture/lined.h"
#include "capture/monitor.h"
#include "capture/stack.h"
#include "capture/thread.h"
#include "capture/tracking.h"
#include "control/control.h"
#include "control/fork.h"
#include "control/messages.h"
#include "control/sampler.h"
#include "control/save.h"
#include "control/settings.h"
#include "control/wait_tracer.h"
#include "control/watcher.h"
#include "module_record.h"
#include "probe_list.h"
#include "provider.h"
#include "python/callable.h"
#include "python/gil.h"
#include "python/text.h"
#include "pyusdt_control.h"
#include "steps/mark.h"
#include "steps/step_type.h"
#include "steps/steps.h"

static PyObject *core_start(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    watcher_start();
    Py_RETURN_NONE;
}

static PyObject *core_stop(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    watcher_stop();
    Py_RETURN_NONE;
}

/* At exit: a Ctrl-C may have kept the package from ending what it records. */
static PyObject *core_exit(PyObject *module, PyObject *unused) {
    if (save_is_on())
        save_all("exit");
    return core_stop(module, unused);
}

static PyObject *core_wait(PyObject *module, PyObject *timeout) {
    double seconds = -1;
    int attached;

    (void)module;
    if (timeout != Py_None) {
        seconds = PyFloat_AsDouble(timeout);
        if (PyErr_Occurred())
            return NULL;
        seconds = seconds < 0 ? 0 : seconds;
    }
    attached = wait_tracer(seconds);
    return attached < 0 ? NULL : PyBool_FromLong(attached);
}

static PyObject *core_probes(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return probe_list_new();
}

static PyObject *core_prefork(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    fork_prefork();
    Py_RETURN_NONE;
}

static PyObject *core_postfork_parent(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    fork_postfork_parent();
    Py_RETURN_NONE;
}

static PyObject *core_postfork_child(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    fork_postfork_child();
    Py_RETURN_NONE;
}

static PyObject *core_snapshot(PyObject *module, PyObject *unused) {
    struct pyusdt_control copy;

    (void)module, (void)unused;
    watcher_publish();
    control_copy(&copy);
    return PyBytes_FromStringAndSize((const char *)&copy, sizeof copy);
}

/* Pass the struct pyusdt_request in `bytes` to `use`; ValueError if that refuses it. */
static PyObject *with_request(PyObject *bytes,
                              int (*use)(const struct pyusdt_request *, char *why)) {
    struct pyusdt_request request;
    char why[PYUSDT_MESSAGE_SIZE], *data;
    Py_ssize_t size;

    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return NULL;
    if (size != sizeof request) {
        PyErr_Format(PyExc_ValueError, "a request has %zu bytes", sizeof request);
        return NULL;
    }
    memcpy(&request, data, sizeof request);
    if (use(&request, why) < 0) {
        PyErr_Format(PyExc_ValueError, "%s", why); /* this replaces a character cut in two */
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *core_check(PyObject *module, PyObject *request) {
    (void)module;
    return with_request(request, control_check);
}

static PyObject *core_change(PyObject *module, PyObject *request) {
    (void)module;
    return with_request(request, control_apply);
}

#define DOC_MARK                                                                                   \
    "mark(name, value=None)\n--\n\n"                                                               \
    "Report to every reader that something happened here, and perhaps how much.\n\n"               \
    "The probe `mark` gets `name` (a str), the value as text, and the value as a 64-bit\n"         \
    "integer: of an int or a float, cut towards zero; 0 where it does not fit, is anything\n"      \
    "else, or is None. The text is made without running code of `value`, unless\n"                 \
    "PYUSDT_VALUES=repr selects repr(); \"\" for None, and with PYUSDT_VALUES=off.\n"              \
    "Costs next to nothing without a reader.\n\n"                                                  \
    "Raises TypeError unless `name` is a str."
#define DOC_STEP                                                                                   \
    "step(name)\n--\n\n"                                                                           \
    "Make a step of a block, or of each call of a function. Readers get its name when it\n"        \
    "starts, and its name and nanoseconds when it ends, even by an exception.\n\n"                 \
    "    with pyusdt.step(\"load\"):\n"                                                            \
    "        ...\n\n"                                                                              \
    "    @pyusdt.step(\"load\")\n"                                                                 \
    "    def load(): ...\n\n"                                                                      \
    "Decorates functions, async functions, generators and async generators, above or below\n"      \
    "@staticmethod and @classmethod, and other callables. The step of a generator or\n"            \
    "coroutine lasts from its first resumption to its end, including the time in which it\n"       \
    "is suspended; that of a function that returns an awaitable, until that is done. One object\n" \
    "may be used many times at once, in recursion, threads and tasks: each `with` has its\n"       \
    "own time. (Entered through ExitStack or by hand, uses of one object must nest.)\n\n"          \
    "Raises TypeError if `name` is not a str, or the decorated object is no callable."
#define DOC_STEPS                                                                                  \
    "steps(iterable, name)\n--\n\n"                                                                \
    "Iterate over `iterable`; each pass through the loop's body is a step called `name`:\n\n"      \
    "    for row in pyusdt.steps(rows, \"row\"):\n"                                                \
    "        ...\n\n"                                                                              \
    "The step ends when the loop requests the next item, and when break, return or an\n"           \
    "exception leaves it. The time that `iterable` takes itself does not count. For an\n"          \
    "asynchronous iterable, use `async for`.\n\n"                                                  \
    "Raises TypeError unless `name` is a str and `iterable` is iterable. Exceptions of\n"          \
    "`iterable` propagate."

static PyMethodDef s_methods[] = {
    {"start", core_start, METH_NOARGS,
     "start()\n--\n\nFollow demand from now on. When this returns, the events of probes that are\n"
     "watched already are enabled. Raises RuntimeError if no thread can be started."},
    {"stop", core_stop, METH_NOARGS,
     "stop()\n--\n\nDisable all events, give the tool id back and join the watcher."},
    {"wait", core_wait, METH_O,
     "wait(timeout)\n--\n\nWait until a tracer watches a probe: return True, or False after\n"
     "`timeout` seconds (None: never). Enables nothing by itself."},
    {"snapshot", core_snapshot, METH_NOARGS,
     "snapshot()\n--\n\nReturn the struct pyusdt_control as others see it, brought up to date."},
    {"check", core_check, METH_O,
     "check(request)\n--\n\nRaise ValueError if this struct pyusdt_request is not valid."},
    {"change", core_change, METH_O,
     "change(request)\n--\n\nApply this struct pyusdt_request, or raise ValueError."},

    {"probes", core_probes, METH_NOARGS,
     "probes()\n--\n\nReturn the probe table: a list of (name, arguments, summary, needs,\n"
     "provider)."},
    {"mark", (PyCFunction)(void (*)(void))mark_call, METH_FASTCALL | METH_KEYWORDS, DOC_MARK},
    {"step", (PyCFunction)(void (*)(void))step_type_call, METH_FASTCALL | METH_KEYWORDS, DOC_STEP},
    {"steps", (PyCFunction)(void (*)(void))steps_call, METH_VARARGS | METH_KEYWORDS, DOC_STEPS},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef s_prefork = {"prefork", core_prefork, METH_NOARGS, NULL};
static PyMethodDef s_postfork_parent = {"postfork_parent", core_postfork_parent, METH_NOARGS, NULL};
static PyMethodDef s_postfork_child = {"postfork_child", core_postfork_child, METH_NOARGS, NULL};
static PyMethodDef s_exit = {"exit", core_exit, METH_NOARGS, NULL};

/* os.register_at_fork(before=..., after_in_parent=..., after_in_child=...) */
static int hook_fork(void) {
    PyObject *os = PyImport_ImportModule("os");
    PyObject *hook = os ? PyObject_GetAttrString(os, "register_at_fork") : NULL;
    PyObject *none = PyTuple_New(0), *result = NULL;
    PyObject *hooks = Py_BuildValue("{sNsNsN}", "before", PyCFunction_New(&s_prefork, NULL),
                                    "after_in_parent", PyCFunction_New(&s_postfork_parent, NULL),
                                    "after_in_child", PyCFunction_New(&s_postfork_child, NULL));

    if (hook && none && hooks)
        result = PyObject_Call(hook, none, hooks);
    Py_XDECREF(os);
    Py_XDECREF(hook);
    Py_XDECREF(none);
    Py_XDECREF(hooks);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Stop before finalization begins: after that, a thread that takes the GIL may hang or be killed.
 */
static int hook_exit(void) {
    PyObject *atexit = PyImport_ImportModule("atexit");
    PyObject *stop = PyCFunction_New(&s_exit, NULL), *result = NULL;

    if (atexit && stop)
        result = PyObject_CallMethod(atexit, "register", "O", stop);
    Py_XDECREF(atexit);
    Py_XDECREF(stop);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* The state belongs to the process, as semaphores do, and so to one interpreter. A module slot
 * could have CPython refuse the others, but its message names no remedy. */
static int check_interpreter(void) {
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0)
        return 0;
    PyErr_SetString(PyExc_ImportError,
                    "pyusdt works in the main interpreter only: import it there");
    return -1;
}

/* Why no event is enabled, by PYUSDT_DORMANT_*: what the status of any process is shown with. */
static int add_dormant(PyObject *module) {
    PyObject *reasons = Py_BuildValue(
        "(zzzz)", messages_dormant(PYUSDT_DORMANT_NOT), messages_dormant(PYUSDT_DORMANT_NO_TOOL),
        messages_dormant(PYUSDT_DORMANT_REFUSED), messages_dormant(PYUSDT_DORMANT_JIT));
    int ret = reasons ? PyModule_AddObjectRef(module, "DORMANT", reasons) : -1;

    Py_XDECREF(reasons);
    return ret;
}

/* Whether Python's option -E or -I is given, by which the environment of a user has no say. */
static bool ignores_environment(void) {
    PyObject *flags = PySys_GetObject("flags"); /* borrowed */
    PyObject *flag = flags ? PyObject_GetAttrString(flags, "ignore_environment") : NULL;
    bool ignores = flag && PyObject_IsTrue(flag) == 1;

    Py_XDECREF(flag);
    PyErr_Clear();
    return ignores;
}

static int core_exec(PyObject *module) {
    static bool s_done;

    if (check_interpreter() < 0 || step_type_init(module) < 0 || module_record_add(module) < 0 ||
        add_dormant(module) < 0)
        return -1;
    if (s_done)
        return 0;
    if (!ignores_environment())
        settings_init();
    clock_init();
    gil_init();
    if (callable_init() < 0 || text_init() < 0 || code_init(module) < 0 || lined_init() < 0 ||
        generated_init() < 0 || thread_init() < 0 || batch_init() < 0 || stack_init() < 0 ||
        tracking_init() < 0 || gc_init() < 0 || steps_init() < 0 || c_call_init() < 0 ||
        monitor_init() < 0 || hook_fork() < 0 || hook_exit() < 0)
        return -1;
    control_init();
    sampler_init();
    control_add_loss("code", code_losses);
    control_add_loss("calltree", thread_losses);
    control_add_loss("batch", batch_losses);
    if (provider_load() == PROVIDER_MISSING && log_verbose)
        log_line(
            "no probes of provider python: libpyusdt_compat.so cannot be loaded; build or install "
            "pyusdt again");
    s_done = true;
    if (log_verbose)
        log_line("ready");
    return 0;
}

static PyModuleDef_Slot s_slots[] = {
    {Py_mod_exec, core_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef s_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pyusdt.libpyusdt",
    .m_doc = "The core of pyusdt: USDT probes on sys.monitoring events.",
    .m_size = 0,
    .m_methods = s_methods,
    .m_slots = s_slots,
};

PyMODINIT_FUNC PyInit_libpyusdt(void) {
    return PyModuleDef_Init(&s_module);
}
