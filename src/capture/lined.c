/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/lined.h"

#include <stdio.h>
#include <string.h>

#include "base/filter.h"
#include "pyusdt_control.h"

/* Written under the GIL. */
static struct client {
    bool records;
    char lines[PYUSDT_FILTER_SIZE], outside[PYUSDT_FILTER_SIZE];
} s_clients[LINED_CLIENTS];
static PyObject *s_co_lines; /* interned, written once */

void lined_set(int client, const char *lines, const char *outside) {
    s_clients[client].records = lines != NULL;
    snprintf(s_clients[client].lines, PYUSDT_FILTER_SIZE, "%s", lines ? lines : "");
    snprintf(s_clients[client].outside, PYUSDT_FILTER_SIZE, "%s", lines ? outside : "");
}

bool lined_any(void) {
    bool any = false;

    for (int i = 0; i < LINED_CLIENTS; i++)
        any |= s_clients[i].lines[0] != '\0';
    return any;
}

/* Whether `file` lies in one of the directories. Frozen modules are of the standard library; what
 * else has no path is of the program. */
static bool is_outside(const char *file, const char *directories) {
    if (!*directories)
        return false;
    if (!strncmp(file, "<frozen ", 8))
        return true;
    for (const char *at = directories; *at; at += *at == ':') {
        size_t length = strcspn(at, ":"), path = length;

        while (path > 0 && at[path - 1] == '/')
            path--;
        if (length > 0 && !strncmp(file, at, path) && file[path] == '/')
            return true;
        at += length;
    }
    return false;
}

/* With directories, a leading "*" is all but what lies in them; what else the list has counts there
 * too. */
static bool wants(const struct client *client, const struct code_record *record) {
    const char *named = client->lines;

    if (client->outside[0] && named[0] == '*' && (named[1] == ',' || !named[1])) {
        if (!is_outside(record->file, client->outside))
            return true;
        named += named[1] ? 2 : 1;
    }
    return named[0] && !filter_rejects(named, "", record->module, record->qualname);
}

bool lined_wants(const struct code_record *record) {
    for (int i = 0; i < LINED_CLIENTS; i++)
        if (s_clients[i].records && (record->marked || wants(&s_clients[i], record)))
            return true;
    return false;
}

static void cover(struct code_record *record, int32_t line) {
    int64_t last = (int64_t)record->first_line + record->n_lines - 1;

    if (record->n_lines == 0) {
        record->first_line = line;
        record->n_lines = 1;
        return;
    }
    if (line > last)
        last = line;
    if (line < record->first_line)
        record->first_line = line;
    record->n_lines = (uint32_t)(last - record->first_line + 1);
}

/* co_lines() gives (start, end, line or None): its iterator is CPython's own. */
void lined_cover(struct code_record *record, PyObject *code) {
    PyObject *lines = PyObject_CallMethodObjArgs(code, s_co_lines, NULL);
    PyObject *iterator = lines ? PyObject_GetIter(lines) : NULL, *range;

    while (iterator && (range = PyIter_Next(iterator))) {
        PyObject *line = PyTuple_GetItem(range, 2); /* borrowed */
        long number = line && line != Py_None ? PyLong_AsLong(line) : 0;

        if (number > 0 && number <= INT32_MAX)
            cover(record, (int32_t)number);
        Py_DECREF(range);
    }
    Py_XDECREF(iterator);
    Py_XDECREF(lines);
    PyErr_Clear();
}

int lined_init(void) {
    s_co_lines = PyUnicode_InternFromString("co_lines");
    return s_co_lines ? 0 : -1;
}
