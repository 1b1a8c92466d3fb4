/* SPDX-License-Identifier: Apache-2.0 */
#include "python/gil.h"

#include <pthread.h>
#include <unistd.h>

#include "base/osthread.h"
#include "python/compat.h"

enum { FIRST_STATE = 1 };

static PyInterpreterState *s_interpreter; /* borrowed: the main one; written once */
static pid_t s_spare_tid; /* of the last thread of make_spare_state(), once it has been joined */
static _Atomic uint64_t s_asking;
static _Atomic uint32_t s_asks;

void gil_init(void) {
    s_interpreter = PyInterpreterState_Get();
}

static void *make_spare_state(void *unused) {
    s_spare_tid = gettid();
    PyThreadState_New(s_interpreter);
    return unused;
}

/* The thread that forked may be over, for Python, while the system ends it, and a thread of ours
 * takes the GIL then. So there is always one more state, of a thread that is gone: Python deletes
 * it with the interpreter, or in a child's child. It is not made here, as this thread would have
 * two. */
void gil_postfork_child(void) {
    pthread_t thread;

    if (!compat_needs_spare_state() || PyThreadState_GetID(PyThreadState_Get()) == FIRST_STATE)
        return;
    if (osthread_start(&thread, "pyusdt-spare", make_spare_state) == 0) {
        pthread_join(thread, NULL);
        osthread_await_gone(s_spare_tid);
    }
}

/* In a program that clears the exit handlers, the watcher runs until the process ends. Once Python
 * has been finalized, a new thread state would be fatal. */
bool gil_take(void) {
    PyThreadState *state = Py_IsInitialized() ? PyThreadState_New(s_interpreter) : NULL;

    if (state) {
        s_asking = (uint64_t)++s_asks << 32 | (uint32_t)gettid();
        PyEval_AcquireThread(state);
        s_asking = 0;
    }
    return state;
}

uint64_t gil_asking(void) {
    return s_asking;
}

/* A new state counts as taken once by PyGILState_Ensure(), so this deletes it, and does so before
 * it releases the GIL. Afterwards, Python's finalization might delete it too. */
void gil_give(void) {
    PyGILState_Release(PyGILState_UNLOCKED);
}
