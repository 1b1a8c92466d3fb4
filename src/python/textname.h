/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of types, callables and exceptions, written to a textbuf without running user code.
 * A name that is no str, was deleted, or cannot be read is "?". All: GIL held, no exception set on
 * entry and none left.
 *
 * Not even a metaclass runs: fields are read by the descriptors of the built-in types. One case is
 * left: a class body with a key that is an instance of a str subclass and hashes as "__module__".
 * Its __eq__ runs whenever the class's module is read, by us or by the interpreter.
 *
 * Private to: python
 */
#ifndef PYUSDT_PYTHON_TEXTNAME_H
#define PYUSDT_PYTHON_TEXTNAME_H

#include "python/textbuf.h"

/* Look up the descriptors. 0, or -1 with an exception set. */
int textname_init(void);
void textname_fini(void);

/* <module.Type> for an object of that type. */
void textname_instance(struct textbuf *b, PyTypeObject *type);

/* Contract: text_c_callable in text.h. */
bool textname_c_callable(struct textbuf *module, struct textbuf *qualname, PyObject *o);

/* Contract: text_method in text.h. */
bool textname_method(struct textbuf *b, PyObject *self, PyObject *name, PyObject *code);

/* Contracts: text_callable, text_exception in text.h. `o` is not NULL. */
void textname_callable(struct textbuf *b, PyObject *o);
void textname_exception(struct textbuf *b, PyObject *o);

/* Type of an exception: module.Type, or Type alone for the built-in ones. */
void textname_exception_type(struct textbuf *b, PyTypeObject *type);

#endif
