/* SPDX-License-Identifier: Apache-2.0 */
#include "python/gil.h"

#include <unistd.h>

static PyInterpreterState *s_interpreter; /* borrowed: the main one; written once */
static _Atomic uint64_t s_asking;
static _Atomic uint32_t s_asks;

void gil_init(void) {
    s_interpreter = PyInterpreterState_Get();
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
