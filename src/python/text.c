/* SPDX-License-Identifier: Apache-2.0 */
#include "python/text.h"

#include <stdint.h>
#include <string.h>

#include "python/compat.h"
#include "python/textbuf.h"
#include "python/textname.h"

/* Containers within containers that are walked. */
#define DEPTH 3

/* Beyond so many bits, an int's conversion to decimal takes longer than a probe should. */
#define INT_BITS_MAX 2048
#define INT_BYTES_MAX (INT_BITS_MAX / 8)
#define INT_LIMBS_MAX (INT_BITS_MAX / 32)
#define INT_DIGITS_MAX 640
#define BILLION 1000000000u

_Static_assert(TEXT_MAX <= TEXTBUF_CHUNK, "a chunk of a str must fill the buffer");

enum text_mode text_mode;

static PyObject *s_missing;    /* sys.monitoring.MISSING, owned */
static PyObject *s_bit_length; /* int.bit_length, owned */
static PyObject *s_to_bytes;   /* int.to_bytes, owned */

/* The text of a singleton, NULL for others. */
static const char *constant(PyObject *o) {
    if (o == Py_None)
        return "None";
    if (o == Py_True)
        return "True";
    if (o == Py_False)
        return "False";
    if (o == s_missing)
        return "<MISSING>";
    if (o == Py_Ellipsis)
        return "Ellipsis";
    return o == Py_NotImplemented ? "NotImplemented" : NULL;
}

/* Divides the number in `limbs`, least significant first, and returns the remainder. */
static uint32_t divide_by_billion(uint32_t *limbs, int n) {
    uint64_t rest = 0;

    for (int i = n - 1; i >= 0; i--) {
        rest = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(rest / BILLION);
        rest %= BILLION;
    }
    return (uint32_t)rest;
}

static void put_little_endian(struct textbuf *b, const unsigned char bytes[INT_BYTES_MAX]) {
    uint32_t limbs[INT_LIMBS_MAX] = {0};
    char digits[INT_DIGITS_MAX];
    char *at = digits + sizeof digits - 1;
    int n = INT_LIMBS_MAX;

    for (int i = 0; i < INT_BYTES_MAX; i++)
        limbs[i / 4] |= (uint32_t)bytes[i] << i % 4 * 8;
    *at = '\0';
    while (n > 0) {
        uint32_t group = divide_by_billion(limbs, n);

        for (int i = 0; i < 9; i++, group /= 10)
            *--at = (char)('0' + group % 10);
        while (n > 0 && !limbs[n - 1])
            n--;
    }
    textbuf_ascii(b, at + strspn(at, "0"));
}

/* An int of more than 64 bits. CPython's own conversion checks for signals at every digit, and so
 * would run their handlers, and the collector, in the middle of an event. */
static void put_big_int(struct textbuf *b, PyObject *o, bool negative) {
    PyObject *magnitude = NULL, *bytes = NULL;
    PyObject *length = PyObject_Vectorcall(s_bit_length, &o, 1, NULL);
    long long bits = length ? PyLong_AsLongLong(length) : -1;

    if (bits > INT_BITS_MAX) {
        textbuf_ascii(b, "<int of ");
        textbuf_decimal(b, bits);
        textbuf_ascii(b, " bits>");
        goto out;
    }
    if (length && (magnitude = PyNumber_Absolute(o)))
        bytes = PyObject_CallFunction(s_to_bytes, "Ois", magnitude, INT_BYTES_MAX, "little");
    if (!bytes) {
        PyErr_Clear();
        textbuf_byte(b, '?');
        goto out;
    }
    if (negative)
        textbuf_byte(b, '-');
    put_little_endian(b, (const unsigned char *)PyBytes_AsString(bytes));
out:
    Py_XDECREF(length);
    Py_XDECREF(magnitude);
    Py_XDECREF(bytes);
}

static void put_int(struct textbuf *b, PyObject *o) {
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(o, &overflow);

    if (overflow)
        put_big_int(b, o, overflow < 0);
    else
        textbuf_decimal(b, value);
}

static void put_float(struct textbuf *b, PyObject *o) {
    char *text = PyOS_double_to_string(PyFloat_AsDouble(o), 'r', 0, Py_DTSF_ADD_DOT_0, NULL);

    if (!text)
        PyErr_Clear();
    textbuf_ascii(b, text ? text : "?");
    PyMem_Free(text);
}

/* Writes `o` if it is of a plain type that holds no other object. */
static bool put_scalar(struct textbuf *b, PyObject *o) {
    const char *text = constant(o);

    if (text)
        textbuf_ascii(b, text);
    else if (PyLong_CheckExact(o))
        put_int(b, o);
    else if (PyUnicode_CheckExact(o))
        textbuf_str_repr(b, o);
    else if (PyFloat_CheckExact(o))
        put_float(b, o);
    else if (PyBytes_CheckExact(o))
        textbuf_bytes_repr(b, o);
    else
        return false;
    return true;
}

static void put_value(struct textbuf *b, PyObject *o, int depth);

static void put_comma(struct textbuf *b, Py_ssize_t i) {
    if (i > 0)
        textbuf_ascii(b, ", ");
}

static void put_list(struct textbuf *b, PyObject *list, int depth) {
    for (Py_ssize_t i = 0; !b->full && i < PyList_Size(list); i++) {
        PyObject *item = compat_list_item(list, i);

        put_comma(b, i);
        put_value(b, item, depth);
        compat_release(item);
    }
}

static void put_tuple(struct textbuf *b, PyObject *tuple, int depth) {
    Py_ssize_t size = PyTuple_Size(tuple);

    for (Py_ssize_t i = 0; !b->full && i < size; i++) {
        put_comma(b, i);
        put_value(b, PyTuple_GetItem(tuple, i), depth);
    }
    if (size == 1)
        textbuf_byte(b, ',');
}

static void put_dict(struct textbuf *b, PyObject *dict, int depth) {
    PyObject *key, *value;
    Py_ssize_t at = 0;

    for (Py_ssize_t i = 0; !b->full && compat_dict_next(dict, &at, &key, &value); i++) {
        put_comma(b, i);
        put_value(b, key, depth);
        textbuf_ascii(b, ": ");
        put_value(b, value, depth);
        compat_release(key);
        compat_release(value);
    }
}

/* Iterating over an exact set hashes and compares nothing. */
static void put_set(struct textbuf *b, PyObject *set, int depth) {
    PyObject *item = NULL;
    PyObject *iterator = PyObject_GetIter(set);

    for (Py_ssize_t i = 0; iterator && !b->full && (item = PyIter_Next(iterator)); i++) {
        put_comma(b, i);
        put_value(b, item, depth);
        Py_DECREF(item);
    }
    if (!iterator || !item)
        PyErr_Clear();
    Py_XDECREF(iterator);
}

struct container {
    const char *open, *close, *empty;
    Py_ssize_t (*size)(PyObject *o);
    void (*put)(struct textbuf *b, PyObject *o, int depth);
};

/* How to show `o`, NULL if it is not exactly a container that we know. */
static const struct container *container_of(PyObject *o) {
    static const struct container list = {"[", "]", "[]", PyList_Size, put_list};
    static const struct container tuple = {"(", ")", "()", PyTuple_Size, put_tuple};
    static const struct container dict = {"{", "}", "{}", PyDict_Size, put_dict};
    static const struct container set = {"{", "}", "set()", PySet_Size, put_set};
    static const struct container frozen = {"frozenset({", "})", "frozenset()", PySet_Size,
                                            put_set};

    if (PyTuple_CheckExact(o))
        return &tuple;
    if (PyDict_CheckExact(o))
        return &dict;
    if (PyList_CheckExact(o))
        return &list;
    if (Py_IS_TYPE(o, &PySet_Type))
        return &set;
    return PyFrozenSet_CheckExact(o) ? &frozen : NULL;
}

static void put_container(struct textbuf *b, const struct container *c, PyObject *o, int depth) {
    if (c->size(o) == 0) {
        textbuf_ascii(b, c->empty);
        return;
    }
    textbuf_ascii(b, c->open);
    if (depth > 0)
        c->put(b, o, depth - 1);
    else
        textbuf_ascii(b, "...");
    textbuf_ascii(b, c->close);
}

/* `depth`: how many levels of containers may still be shown. NULL writes nothing. */
static void put_value(struct textbuf *b, PyObject *o, int depth) {
    const struct container *container;

    if (!o || put_scalar(b, o))
        return;
    container = container_of(o);
    if (container)
        put_container(b, container, o, depth);
    else
        textname_instance(b, Py_TYPE(o));
}

static void put_repr(struct textbuf *b, PyObject *o) {
    PyObject *text, *error;

    if (put_scalar(b, o))
        return;
    text = PyObject_Repr(o);
    if (text) {
        textbuf_str(b, text);
        Py_DECREF(text);
        return;
    }
    error = PyErr_GetRaisedException();
    textbuf_ascii(b, "<repr failed: ");
    if (error) /* an extension's repr may fail without one */
        textname_exception_type(b, Py_TYPE(error));
    textbuf_byte(b, '>');
    Py_XDECREF(error);
}

const char *text_value(PyObject *o, enum text_mode mode, char buf[TEXT_SIZE]) {
    const char *text;
    struct textbuf b;

    if (!o || mode == TEXT_OFF)
        return "";
    text = constant(o);
    if (text)
        return text;
    textbuf_start(&b, buf, TEXT_SIZE);
    if (mode == TEXT_REPR)
        put_repr(&b, o);
    else
        put_value(&b, o, DEPTH);
    textbuf_finish(&b);
    return buf;
}

const char *text_callable(PyObject *o, char buf[TEXT_SIZE]) {
    struct textbuf b;

    if (!o)
        return "";
    textbuf_start(&b, buf, TEXT_SIZE);
    textname_callable(&b, o);
    textbuf_finish(&b);
    return buf;
}

bool text_c_callable(PyObject *o, char *module, char *qualname, size_t size) {
    struct textbuf m, q;
    bool known;

    textbuf_start(&m, module, size);
    textbuf_start(&q, qualname, size);
    known = textname_c_callable(&m, &q, o);
    textbuf_finish(&m);
    textbuf_finish(&q);
    return known;
}

bool text_method(PyObject *self, PyObject *name, PyObject *code, char *qualname, size_t size) {
    struct textbuf b;
    bool found;

    textbuf_start(&b, qualname, size);
    found = textname_method(&b, self, name, code);
    textbuf_finish(&b);
    return found;
}

const char *text_exception(PyObject *exc, char buf[TEXT_SIZE]) {
    struct textbuf b;

    if (!exc)
        return "";
    textbuf_start(&b, buf, TEXT_SIZE);
    textname_exception(&b, exc);
    textbuf_finish(&b);
    return buf;
}

size_t text_name(PyObject *str, char *buf, size_t size) {
    struct textbuf b;

    textbuf_start(&b, buf, size);
    textbuf_str(&b, str);
    return textbuf_finish(&b);
}

size_t text_exact(PyObject *str, char *buf, size_t size) {
    struct textbuf b;

    textbuf_start(&b, buf, size);
    b.exact = true;
    textbuf_str(&b, str);
    return textbuf_finish(&b);
}

int text_init(void) {
    int ret = -1;
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */

    if (textname_init() < 0)
        goto out;
    if (!(s_bit_length = PyObject_GetAttrString((PyObject *)&PyLong_Type, "bit_length")))
        goto out;
    if (!(s_to_bytes = PyObject_GetAttrString((PyObject *)&PyLong_Type, "to_bytes")))
        goto out;
    if (monitoring)
        s_missing = PyObject_GetAttrString(monitoring, "MISSING");
    else
        PyErr_SetString(PyExc_ImportError, "this Python has no sys.monitoring");
    ret = s_missing ? 0 : -1;
out:
    if (ret < 0)
        text_fini();
    return ret;
}

void text_fini(void) {
    textname_fini();
    Py_CLEAR(s_missing);
    Py_CLEAR(s_bit_length);
    Py_CLEAR(s_to_bytes);
}
