/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded piece of UTF-8 text in the caller's buffer, and how Python's str and bytes are written
 * to it. What does not fit is dropped, and textbuf_finish marks the place with "...". The text has
 * no NUL inside and is valid UTF-8, whatever is written: NUL and lone surrogates are escaped,
 * and control characters unless the text is to be exact.
 *
 * All functions: GIL held, no user code run, no exception left set, bounded allocation. Once `full`
 * is set, writing changes nothing: a caller that walks something long stops there.
 *
 * Private to: python
 */
#ifndef PYUSDT_PYTHON_TEXTBUF_H
#define PYUSDT_PYTHON_TEXTBUF_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

/* How many code points of a str, or bytes, are read at once. textbuf_str_repr and
 * textbuf_bytes_repr read no more than that, so a buffer for them must not hold more bytes. */
#define TEXTBUF_CHUNK 200

struct textbuf {
    char *start; /* borrowed: the caller's buffer */
    char *at;    /* where the next byte goes */
    char *end;   /* where the NUL goes at the latest */
    bool full;   /* something did not fit; then at == end */
    bool exact;  /* control characters stay; without, they are escaped */
};

/* `size` bytes at `buf`, at least 1, take the text and its NUL. */
static inline void textbuf_start(struct textbuf *b, char *buf, size_t size) {
    *b = (struct textbuf){.start = buf, .at = buf, .end = buf + size - 1, .full = false};
}

static inline void textbuf_byte(struct textbuf *b, char byte) {
    if (b->at < b->end)
        *b->at++ = byte;
    else
        b->full = true;
}

/* ASCII, NUL-terminated. */
void textbuf_ascii(struct textbuf *b, const char *text);

/* One code point: UTF-8, or \x1b and \udc80 for those that may not stand in the text. */
void textbuf_char(struct textbuf *b, Py_UCS4 c);

void textbuf_decimal(struct textbuf *b, long long value);

/* The characters of a str or of an instance of a subclass; "?" for anything else and for NULL. */
void textbuf_str(struct textbuf *b, PyObject *str);

/* An exact str and an exact bytes as repr() shows them. The cost does not grow with their length:
 * the kind of quote depends only on the part that is read. */
void textbuf_str_repr(struct textbuf *b, PyObject *str);
void textbuf_bytes_repr(struct textbuf *b, PyObject *bytes);

/* End the text with NUL, after "..." if it was cut. Returns its length in bytes. */
size_t textbuf_finish(struct textbuf *b);

#endif
