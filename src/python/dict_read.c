/* SPDX-License-Identifier: Apache-2.0 */
#include "python/dict_read.h"

#include "python/compat.h"

static bool is_name(PyObject *key, PyObject *name) {
    return key == name || (PyUnicode_CheckExact(key) && PyUnicode_Compare(key, name) == 0);
}

PyObject *dict_read_name(PyObject *dict, PyObject *name) {
    PyObject *key, *value, *found = NULL;
    Py_ssize_t at = 0;

    if (!dict || !PyDict_Check(dict))
        return NULL;
    for (int i = 0; !found && i < LOOKUP_MAX && compat_dict_next(dict, &at, &key, &value); i++) {
        if (is_name(key, name))
            found = Py_NewRef(value);
        compat_release(key);
        compat_release(value);
    }
    return found;
}

bool dict_read_is_numbered(PyObject *dict) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    bool numbered = dict && PyDict_CheckExact(dict);

    while (numbered && compat_dict_next(dict, &at, &key, &value)) {
        numbered = PyLong_CheckExact(key);
        compat_release(key);
        compat_release(value);
    }
    return numbered;
}
