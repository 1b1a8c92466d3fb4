/* SPDX-License-Identifier: Apache-2.0
 *
 * Python objects as short texts for probe arguments: valid UTF-8, no NUL inside, at most TEXT_MAX
 * bytes, cut between two characters and ended with "..." where there was more.
 *
 * All functions: GIL held, no exception set on entry, none left set. They run no user code, no
 * signal handler and no collection (but for TEXT_REPR, which is there to run code), allocate a few
 * kilobytes at most, and cost the same for an object of any size: a walk stops when the text is
 * full. (A dict or set that was emptied by deleting one by one is walked through its holes, as any
 * iteration over it is.)
 */
#ifndef PYUSDT_PYTHON_TEXT_H
#define PYUSDT_PYTHON_TEXT_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

#define TEXT_MAX 200
#define TEXT_SIZE (TEXT_MAX + 1)

enum text_mode {
    TEXT_SAFE, /* never runs user code */
    TEXT_REPR, /* repr(), which may */
    TEXT_OFF,  /* "" for every value */
};

/* How the values of probe arguments become text: the setting `values`. Written under the GIL. */
extern enum text_mode text_mode;

/* 0, or -1 with an exception set. Once, before any other function here. */
int text_init(void);
void text_fini(void);

/* `o` as repr() shows it: int, float, bool, str, bytes, None, Ellipsis, NotImplemented and list,
 * tuple, dict, set, frozenset of such values to a depth of 3, all of exactly these types. Deeper is
 * "[...]"; an int of more than 2048 bits is "<int of N bits>"; sys.monitoring.MISSING is
 * "<MISSING>"; any other object is "<module.Type>". NULL is "".
 * TEXT_REPR: repr(o) for all but the single values above. If it raises anything, a
 * KeyboardInterrupt too, that is dropped and the text is "<repr failed: Type>". Returns `buf` or a
 * constant. */
const char *text_value(PyObject *o, enum text_mode mode, char buf[TEXT_SIZE]);

/* module.qualname of a function, built-in function, class, method (of its function) or method of a
 * built-in type ("builtins.list.append"); "<module.Type>" of any other object; "?" for each part
 * that is no str. NULL is "". Returns `buf` or a constant. */
const char *text_callable(PyObject *o, char buf[TEXT_SIZE]);

/* The same in two parts; a name in C has no dots, so what is after the last is the function's.
 * False, and nothing is written, for what is no function or method in C. */
bool text_c_callable(PyObject *o, char *module, char *qualname, size_t size);

/* The __qualname__ of the function with this code that the type of `self`, or a base of it, has by
 * this name (exactly a str). False where there is none: then `qualname` has nothing of use. */
bool text_method(PyObject *self, PyObject *name, PyObject *code, char *qualname, size_t size);

/* "Type: text" of an exception, where text is args[0] if that is exactly a str and not empty, else
 * "Type", as for an exception class. Type has its module in front unless that is builtins. Any
 * other object is "<module.Type>", NULL is "". Returns `buf` or a constant. */
const char *text_exception(PyObject *exc, char buf[TEXT_SIZE]);

/* The characters of a str (code object name, file name) in `buf` of `size` >= 1 bytes: at most
 * size - 1 and a NUL. Control characters and lone surrogates are escaped (\x1b, \udc80): tracers
 * print names on terminals. "?" for NULL and for what is no str. Returns the length. */
size_t text_name(PyObject *str, char *buf, size_t size);

/* The same for what no tracer reads: of control characters, only NULs are escaped. */
size_t text_exact(PyObject *str, char *buf, size_t size);

#endif
