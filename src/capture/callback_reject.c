/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/callback_reject.h"

/* Written under the GIL. */
static PyObject *s_disable; /* owned */
static bool s_disabled;

void callback_reject_init(PyObject *disable) {
    s_disable = Py_NewRef(disable);
}

PyObject *callback_reject_disable(void) {
    s_disabled = true;
    return Py_NewRef(s_disable);
}

bool callback_reject_take(void) {
    bool disabled = s_disabled;

    s_disabled = false;
    return disabled;
}
