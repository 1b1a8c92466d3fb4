/* SPDX-License-Identifier: Apache-2.0 */
#include "gil.h"

static PyInterpreterState *s_interpreter; /* borrowed: the main one; written once */

void gil_init(void) {
    s_interpreter = PyInterpreterState_Get();
}

bool gil_take(void) {
    PyThreadState *state = PyThreadState_New(s_interpreter);

    if (state)
        PyEval_AcquireThread(state);
    return state;
}

void gil_give(void) {
    PyThreadState *state = PyThreadState_Get();

    PyThreadState_Clear(state);
    PyEval_ReleaseThread(state);
    PyThreadState_Delete(state);
}
