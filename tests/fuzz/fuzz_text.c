/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of any objects, in an embedded interpreter. fuzz_objects.py makes the objects from the
 * input, and knows what some of the texts must be.
 */
#include "fuzz.h"

#include <Python.h>

#include "../../src/python/text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static PyObject *s_make, *s_expected, *s_user_code_ran;

static void must(bool condition) {
    if (condition)
        return;
    PyErr_Print();
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    PyObject *objects;

    (void)argc, (void)argv;
    setenv("PYTHONPATH", FUZZ_DIRECTORY, 1);
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    Py_InitializeEx(0);
    must(text_init() == 0);
    objects = PyImport_ImportModule("fuzz_objects");
    must(objects);
    s_make = PyObject_GetAttrString(objects, "make");
    s_expected = PyObject_GetAttrString(objects, "expected");
    s_user_code_ran = PyObject_GetAttrString(objects, "user_code_ran");
    must(s_make && s_expected && s_user_code_ran);
    return 0;
}

/* Check that a text is valid UTF-8 of at most `most` bytes, and that there was no side effect. */
static void check(const char *text, size_t most, bool may_run_code) {
    PyObject *decoded;

    must(!PyErr_Occurred());
    FUZZ_CHECK(strlen(text) <= most);
    decoded = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), NULL);
    must(decoded);
    Py_DECREF(decoded);
    FUZZ_CHECK(may_run_code || PyList_Size(s_user_code_ran) == 0);
    must(PyList_SetSlice(s_user_code_ran, 0, PyList_Size(s_user_code_ran), NULL) == 0);
}

static void check_expected(PyObject *object, const char *text) {
    PyObject *expected = PyObject_CallFunctionObjArgs(s_expected, object, NULL);

    must(expected);
    if (expected != Py_None && strcmp(PyUnicode_AsUTF8AndSize(expected, NULL), text) != 0) {
        fprintf(stderr, "expected: %s\ngot:      %s\n", PyUnicode_AsUTF8AndSize(expected, NULL),
                text);
        abort();
    }
    Py_DECREF(expected);
}

static void check_object(PyObject *object, size_t size) {
    char *buffer = malloc(TEXT_SIZE), *name = malloc(size), *module = malloc(size);
    const char *text = text_value(object, TEXT_SAFE, buffer);

    check(text, TEXT_MAX, false);
    check_expected(object, text);
    check(text_callable(object, buffer), TEXT_MAX, false);
    check(text_exception(object, buffer), TEXT_MAX, false);
    if (text_c_callable(object, module, name, size)) {
        check(module, size - 1, false);
        check(name, size - 1, false);
    }
    FUZZ_CHECK(text_name(object, name, size) == strlen(name));
    check(name, size - 1, false);
    check(text_value(object, TEXT_REPR, buffer), TEXT_MAX, true);
    free(buffer);
    free(name);
    free(module);
}

/* The first byte is the size of the smaller buffers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PyObject *bytes, *object;

    if (size == 0)
        return 0;
    bytes = PyBytes_FromStringAndSize((const char *)data + 1, (Py_ssize_t)size - 1);
    must(bytes);
    object = PyObject_CallFunctionObjArgs(s_make, bytes, NULL);
    must(object);
    check_object(object, data[0] + (size_t)1);
    Py_DECREF(object);
    Py_DECREF(bytes);
    return 0;
}
