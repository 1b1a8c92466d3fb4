/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/lined.h"

#include <stdio.h>
#include <string.h>

#include "base/filter.h"
#include "capture/installed.h"
#include "pyusdt_control.h"

/* Written under the GIL. */
static struct client {
    bool records, of_program;
    char lines[PYUSDT_FILTER_SIZE];
} s_clients[LINED_CLIENTS];
static PyObject *s_co_lines; /* interned, written once */

void lined_set(int client, const char *lines, bool of_program) {
    s_clients[client].records = lines != NULL;
    snprintf(s_clients[client].lines, PYUSDT_FILTER_SIZE, "%s", lines ? lines : "");
    s_clients[client].of_program = of_program;
    if (lines && of_program)
        installed_find();
}

bool lined_any(void) {
    bool any = false;

    for (int i = 0; i < LINED_CLIENTS; i++)
        any |= s_clients[i].lines[0] != '\0';
    return any;
}

/* Of the program, a leading "*" is all but what is installed; what else the list has counts there
 * too. */
static bool wants(const struct client *client, const struct code_record *record) {
    const char *named = client->lines;

    if (client->of_program && named[0] == '*' && (named[1] == ',' || !named[1])) {
        if (!installed_has(record->file))
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
    return s_co_lines ? installed_init() : -1;
}
