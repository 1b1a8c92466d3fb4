/* SPDX-License-Identifier: Apache-2.0 */
#include "python/textbuf.h"

#include <string.h>

void textbuf_ascii(struct textbuf *b, const char *text) {
    for (; *text && !b->full; text++)
        textbuf_byte(b, *text);
}

static void hex(struct textbuf *b, Py_UCS4 value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        textbuf_byte(b, "0123456789abcdef"[value >> shift & 0xf]);
}

static void escaped(struct textbuf *b, Py_UCS4 c) {
    textbuf_ascii(b, c > 0xff ? "\\u" : "\\x");
    hex(b, c, c > 0xff ? 4 : 2);
}

static void multibyte(struct textbuf *b, Py_UCS4 c) {
    if (c < 0x800) {
        textbuf_byte(b, (char)(0xc0 | c >> 6));
    } else if (c < 0x10000) {
        textbuf_byte(b, (char)(0xe0 | c >> 12));
        textbuf_byte(b, (char)(0x80 | (c >> 6 & 0x3f)));
    } else {
        textbuf_byte(b, (char)(0xf0 | c >> 18));
        textbuf_byte(b, (char)(0x80 | (c >> 12 & 0x3f)));
        textbuf_byte(b, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    textbuf_byte(b, (char)(0x80 | (c & 0x3f)));
}

/* What a terminal obeys, and what ends a line. */
static bool is_control(Py_UCS4 c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

void textbuf_char(struct textbuf *b, Py_UCS4 c) {
    if (!c || (c >= 0xd800 && c < 0xe000) || (!b->exact && is_control(c)))
        escaped(b, c);
    else if (c < 0x80)
        textbuf_byte(b, (char)c);
    else
        multibyte(b, c);
}

void textbuf_decimal(struct textbuf *b, long long value) {
    char digits[24];
    char *at = digits + sizeof digits - 1;
    unsigned long long rest = value < 0 ? -(unsigned long long)value : (unsigned long long)value;

    *at = '\0';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--at = '-';
    textbuf_ascii(b, at);
}

/* Read up to a chunk of code points of `str` from `from`. Returns their number, -1 without memory.
 * PyUnicode_AsUTF8 would keep a copy of any size in the user's str, and fails for surrogates. */
static Py_ssize_t read_chunk(PyObject *str, Py_ssize_t from, Py_ssize_t length,
                             Py_UCS4 chars[TEXTBUF_CHUNK]) {
    Py_ssize_t n = length - from < TEXTBUF_CHUNK ? length - from : TEXTBUF_CHUNK;
    PyObject *part = NULL;
    if (n < length)
        str = part = PyUnicode_Substring(str, from, from + n);
    if (!str || !PyUnicode_AsUCS4(str, chars, TEXTBUF_CHUNK, 0)) {
        PyErr_Clear();
        n = -1;
    }
    Py_XDECREF(part);
    return n;
}

void textbuf_str(struct textbuf *b, PyObject *str) {
    Py_UCS4 chars[TEXTBUF_CHUNK];
    Py_ssize_t n = 0;
    Py_ssize_t length = str && PyUnicode_Check(str) ? PyUnicode_GetLength(str) : -1;

    for (Py_ssize_t from = 0; from < length && n >= 0 && !b->full; from += n) {
        n = read_chunk(str, from, length, chars);
        for (Py_ssize_t i = 0; i < n; i++)
            textbuf_char(b, chars[i]);
    }
    if (length < 0 || n < 0)
        textbuf_byte(b, '?');
}

/* As repr() quotes bytes and ASCII: double quotes only around single ones. */
static void quoted(struct textbuf *b, const Py_UCS4 *chars, Py_ssize_t n) {
    bool single = false, dbl = false;
    Py_UCS4 quote;

    for (Py_ssize_t i = 0; i < n; i++) {
        single |= chars[i] == '\'';
        dbl |= chars[i] == '"';
    }
    quote = single && !dbl ? '"' : '\'';
    textbuf_byte(b, (char)quote);
    for (Py_ssize_t i = 0; i < n && !b->full; i++) {
        Py_UCS4 c = chars[i];
        Py_UCS4 letter = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c;

        if (letter != c || c == quote || c == '\\') {
            textbuf_byte(b, '\\');
            textbuf_byte(b, (char)letter);
        } else if (c < ' ' || c > '~') {
            escaped(b, c);
        } else {
            textbuf_byte(b, (char)c);
        }
    }
    textbuf_byte(b, (char)quote);
}

/* This Python's own Unicode tables define which characters are printable. PyObject_Repr checks for
 * signals first, and so would run their handlers, and the collector. */
static void wide_repr(struct textbuf *b, PyObject *str) {
    reprfunc repr = (reprfunc)PyType_GetSlot(&PyUnicode_Type, Py_tp_repr);
    PyObject *head = PyUnicode_Substring(str, 0, TEXTBUF_CHUNK);
    PyObject *text = head ? repr(head) : NULL;

    if (!text)
        PyErr_Clear();
    textbuf_str(b, text);
    Py_XDECREF(text);
    Py_XDECREF(head);
}

void textbuf_str_repr(struct textbuf *b, PyObject *str) {
    Py_UCS4 chars[TEXTBUF_CHUNK];
    Py_ssize_t n = read_chunk(str, 0, PyUnicode_GetLength(str), chars);
    Py_UCS4 bits = 0;

    for (Py_ssize_t i = 0; i < n; i++)
        bits |= chars[i];
    if (n >= 0 && bits < 0x80)
        quoted(b, chars, n);
    else
        wide_repr(b, str);
}

void textbuf_bytes_repr(struct textbuf *b, PyObject *bytes) {
    Py_UCS4 chars[TEXTBUF_CHUNK];
    Py_ssize_t length = PyBytes_Size(bytes);
    Py_ssize_t n = length < TEXTBUF_CHUNK ? length : TEXTBUF_CHUNK;
    const char *data = PyBytes_AsString(bytes);

    for (Py_ssize_t i = 0; i < n; i++)
        chars[i] = (unsigned char)data[i];
    textbuf_byte(b, 'b');
    quoted(b, chars, n);
}

size_t textbuf_finish(struct textbuf *b) {
    if (b->full) {
        ptrdiff_t room = b->end - b->start;
        ptrdiff_t dots = room < 3 ? room : 3;

        b->at = b->end - dots;
        while (b->at > b->start && (*b->at & 0xc0) == 0x80)
            b->at--;
        memset(b->at, '.', (size_t)dots);
        b->at += dots;
    }
    *b->at = '\0';
    return (size_t)(b->at - b->start);
}
