/* SPDX-License-Identifier: Apache-2.0 */
#include "python/gil.h"

static PyInterpreterState *s_interpreter; /* borrowed: the main one; written once */

void gil_init(void) {
    s_interpreter = PyInterpreterState_Get();
}

/* A program that clears the exit handlers has the watcher run until the process is gone. From some
 * moment on there is no place for a thread state any more, which is fatal too. */
bool gil_take(void) {
    PyThreadState *state = Py_IsInitialized() ? PyThreadState_New(s_interpreter) : NULL;

    if (state)
        PyEval_AcquireThread(state);
    return state;
}

/* A new state counts as taken once by PyGILState_Ensure(), so this deletes it, and does so before
 * it gives the GIL back. After that, the end of Python would delete it too. */
void gil_give(void) {
    PyGILState_Release(PyGILState_UNLOCKED);
}
