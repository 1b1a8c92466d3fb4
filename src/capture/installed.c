/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/installed.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "python/dict_read.h"
#include "python/text.h"

/* Written under the GIL: one after the other, each with its NUL, and an empty one at the end. What
 * has no room is not known. */
static char s_directories[16384];
static PyObject *s_name_os, *s_name_file; /* interned */

static bool is_below(const char *file, const char *directory, size_t length) {
    return !strncmp(file, directory, length) && file[length] == '/';
}

static void add(const char *path) {
    char *at = s_directories;
    size_t length = strlen(path), room;

    while (length > 0 && path[length - 1] == '/')
        length--;
    for (; *at; at += strlen(at) + 1)
        if (strlen(at) == length && !strncmp(at, path, length))
            return;
    room = sizeof s_directories - (size_t)(at - s_directories);
    if (length == 0 || length + 2 > room)
        return;
    memcpy(at, path, length);
    at[length] = at[length + 1] = '\0';
}

/* By its name, and by that of where links lead to: either may be in sys.path. */
static void add_with_links(const char *path) {
    char *real = realpath(path, NULL);

    add(path);
    if (real)
        add(real);
    free(real);
}

/* The standard library is where its module os is. */
static void find_standard(void) {
    PyObject *modules = PySys_GetObject("modules"); /* borrowed */
    PyObject *os = dict_read_name(modules, s_name_os), *file = NULL;
    char path[PATH_MAX], *slash;

    if (os && PyModule_Check(os))
        file = dict_read_name(PyModule_GetDict(os), s_name_file);
    if (file) {
        text_name(file, path, sizeof path);
        slash = strrchr(path, '/');
        if (slash) {
            *slash = '\0';
            add_with_links(path);
        }
    }
    Py_XDECREF(file);
    Py_XDECREF(os);
}

/* Of the standard library: python312.zip. */
static bool is_archive(const char *name) {
    size_t length = strlen(name);

    return length > 4 && !strncmp(name, "/python3", 8) && !strcmp(name + length - 4, ".zip");
}

static bool is_of_installed(char *path) {
    size_t length = strlen(path);
    const char *name;

    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    name = strrchr(path, '/');
    return name &&
           (!strcmp(name, "/site-packages") || !strcmp(name, "/dist-packages") || is_archive(name));
}

static void find_packages(void) {
    PyObject *list = PySys_GetObject("path"); /* borrowed */
    char path[PATH_MAX];

    if (!list || !PyList_CheckExact(list))
        return;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        PyObject *entry = PyList_GetItem(list, i); /* borrowed */

        if (!entry || !PyUnicode_CheckExact(entry))
            continue;
        text_name(entry, path, sizeof path);
        if (is_of_installed(path))
            add_with_links(path);
    }
}

void installed_find(void) {
    s_directories[0] = '\0';
    find_standard();
    find_packages();
    PyErr_Clear();
}

bool installed_has(const char *file) {
    if (!strncmp(file, "<frozen ", 8))
        return true;
    for (const char *at = s_directories; *at; at += strlen(at) + 1)
        if (is_below(file, at, strlen(at)))
            return true;
    return false;
}

int installed_init(void) {
    s_name_os = PyUnicode_InternFromString("os");
    s_name_file = PyUnicode_InternFromString("__file__");
    return s_name_os && s_name_file ? 0 : -1;
}
