/* SPDX-License-Identifier: Apache-2.0 */
#include "follow.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "code.h"
#include "control.h"

/* What all call trees together may take. */
#define TREES_BYTES (64 << 20)

/* Frames of a thread that is seen for the first time: deeper ones are left out. */
enum { ADOPT_MAX = 4096 };

#define FOLLOWERS (PROBE_BIT(PROBE_function__done) | PROBE_BIT(PROBE_function__slow))

struct thread {
    struct calltree *tree; /* owned; kept for the next thread when this one has ended */
    uint32_t epoch;        /* that of s_epoch when its frames were last known to be right */
    _Atomic bool ended;    /* set by the thread itself as it ends, without the GIL */
    struct thread *next;
};

/* Written under the GIL. */
bool follow_on;
static uint32_t s_epoch; /* counts the times that following began */
static struct thread *s_threads;
static uint64_t s_slow_ticks;
static _Atomic int64_t s_budget = TREES_BYTES;
static pthread_key_t s_ending; /* tells of the end of a thread */
static PyObject *s_f_back, *s_f_code, *s_f_globals;

/* The running thread's own. */
static _Thread_local struct thread *t_thread;

/* The C library calls this as a thread ends; other threads may hold the GIL. */
static void thread_ended(void *thread) {
    ((struct thread *)thread)->ended = true;
}

/* A tree of a thread that has ended, or a new one. NULL: out of memory. */
static struct thread *take_thread(void) {
    struct thread *thread = s_threads;

    while (thread && !thread->ended)
        thread = thread->next;
    if (thread)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    thread->tree = calltree_new(&s_budget, 0);
    if (!thread->tree) {
        free(thread);
        return NULL;
    }
    thread->next = s_threads;
    s_threads = thread;
    return thread;
}

/* The attribute of a frame: a new reference, NULL for None and on failure. Frames are of a type of
 * CPython's own: no user code runs. */
static PyObject *frame_get(PyObject *frame, PyObject *attribute) {
    PyObject *value = PyObject_GetAttr(frame, attribute);

    if (value == Py_None) /* immortal */
        value = NULL;
    PyErr_Clear();
    return value;
}

static struct code_record *frame_code(PyObject *frame) {
    PyObject *code = frame_get(frame, s_f_code), *globals = frame_get(frame, s_f_globals);
    struct code_record *record = code ? code_find_in(code, globals) : NULL;

    Py_XDECREF(code);
    Py_XDECREF(globals);
    return record;
}

/* The records of `frame` and its callers, newest first; how many. Rejected ones are left out, as
 * their events are. */
static uint32_t collect(PyObject *frame, struct code_record **codes) {
    uint32_t n = 0;

    Py_XINCREF(frame);
    while (frame && n < ADOPT_MAX) {
        struct code_record *record = frame_code(frame);
        PyObject *back = frame_get(frame, s_f_back);

        if (record && !record->rejected)
            codes[n++] = record;
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    return n;
}

static void reverse(struct code_record **codes, uint32_t n) {
    for (uint32_t i = 0; i < n / 2; i++) {
        struct code_record *code = codes[i];

        codes[i] = codes[n - 1 - i];
        codes[n - 1 - i] = code;
    }
}

/* Take the stack over as it is: the tree was not kept until now. The frame of an event of entry is
 * about to be entered, and so left out. */
static void adopt(struct thread *thread, bool entering) {
    struct code_record **codes = malloc(ADOPT_MAX * sizeof *codes);
    PyObject *frame = (PyObject *)PyEval_GetFrame();

    calltree_reset(thread->tree);
    thread->epoch = s_epoch;
    if (!codes)
        return;
    frame = entering && frame ? frame_get(frame, s_f_back) : Py_XNewRef(frame);
    uint32_t n = collect(frame, codes);
    reverse(codes, n);
    calltree_take_over(thread->tree, codes, n, clock_ticks());
    Py_XDECREF(frame);
    free(codes);
}

static struct thread *new_thread(void) {
    struct thread *thread = take_thread();

    if (thread) {
        thread->ended = false;
        thread->epoch = s_epoch - 1;
        thread->tree->tid = (uint32_t)gettid();
        t_thread = thread;
        pthread_setspecific(s_ending, thread);
    }
    return thread;
}

/* The running thread with its tree up to date; NULL: out of memory, the event is lost. */
static inline struct thread *current(bool entering) {
    struct thread *thread = t_thread;

    if (__builtin_expect(!thread, 0))
        thread = new_thread();
    if (thread && __builtin_expect(thread->epoch != s_epoch, 0))
        adopt(thread, entering);
    return thread;
}

void follow_enter(struct code_record *code, enum calltree_kind kind) {
    struct thread *thread = current(true);

    if (thread)
        calltree_enter(thread->tree, code, clock_ticks(), kind);
}

void follow_exit(struct code_record *code, enum calltree_outcome outcome) {
    uint64_t now = clock_ticks();
    struct thread *thread = current(false);
    struct calltree_done done;

    /* Partial: entered before we looked, so nobody knows for how long it ran. */
    if (!thread || !calltree_exit(thread->tree, code, now, outcome, &done) || done.partial)
        return;
    if (probe_on(PROBE_function__done))
        probe_function__done(code->qualname, code->file, code->line, code->id, done.depth,
                             clock_ns(done.elapsed), clock_ns(done.self), outcome);
    if (done.elapsed >= s_slow_ticks && probe_on(PROBE_function__slow))
        probe_function__slow(code->qualname, code->file, code->line, code->id, done.depth,
                             clock_ns(done.elapsed), clock_ns(done.self), outcome);
}

void follow_apply(probe_mask watched) {
    bool on = (watched & FOLLOWERS) != 0;

    if (on && !follow_on)
        s_epoch++;
    follow_on = on;
    s_slow_ticks = clock_ticks_in(control_settings.slow_usec * 1000);
}

void follow_postfork_child(void) {
    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        if (thread == t_thread)
            thread->tree->tid = (uint32_t)gettid();
        else
            thread->ended = true;
    }
}

int follow_init(void) {
    clock_init();
    s_f_back = PyUnicode_InternFromString("f_back");
    s_f_code = PyUnicode_InternFromString("f_code");
    s_f_globals = PyUnicode_InternFromString("f_globals");
    if (!s_f_back || !s_f_code || !s_f_globals)
        return -1;
    if (pthread_key_create(&s_ending, thread_ended) == 0)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "pyusdt: the process has no thread-specific key left");
    return -1;
}
