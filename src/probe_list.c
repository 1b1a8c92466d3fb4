/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_list.h"

#include "probe/probes.h"

static PyObject *tuple_of(const char *const *texts, int n) {
    PyObject *tuple = PyTuple_New(n);

    for (int i = 0; tuple && i < n; i++) {
        PyObject *text = PyUnicode_FromString(texts[i]);

        if (text)
            PyTuple_SetItem(tuple, i, text);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *arguments_of(const struct probe_info *info) {
    int n = 0;

    while (info->arguments[n])
        n++;
    return tuple_of(info->arguments, n);
}

static PyObject *needs_of(const struct probe_info *info) {
    const char *names[EVENT_COUNT];
    int n = 0;

    for (int e = 0; e < EVENT_COUNT; e++)
        if (info->needs & (event_mask)1 << e)
            names[n++] = probes_info[e].name;
    return tuple_of(names, n);
}

static PyObject *row_of(const struct probe_info *info) {
    PyObject *arguments = arguments_of(info), *needs = needs_of(info), *row = NULL;

    if (arguments && needs)
        row = Py_BuildValue("(sOsOs)", info->name, arguments, info->summary, needs, info->provider);
    Py_XDECREF(arguments);
    Py_XDECREF(needs);
    return row;
}

PyObject *probe_list_new(void) {
    PyObject *list = PyList_New(0);

    for (int p = 0; list && p < PROBE_COUNT; p++) {
        PyObject *row = row_of(&probes_info[p]);

        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}
