/* SPDX-License-Identifier: Apache-2.0
 *
 * Autosave: the watcher writes a recording now and then, and before SIGTERM or SIGHUP ends the
 * process. How the signals are handled: autosave.c.
 */
#ifndef PYUSDT_CONTROL_AUTOSAVE_H
#define PYUSDT_CONTROL_AUTOSAVE_H

#include <Python.h>
#include <stdbool.h>

/* While there is a callback, the watcher must call autosave_tick() at least this often. */
enum { AUTOSAVE_TICK_MSEC = 100 };

/* Have the watcher call `callback` (NULL or None: nothing), as callback(0) every `seconds` (0:
 * never), and as callback(signal) before one of the signals ends the process. Exceptions that it
 * raises are dropped. GIL held. */
void autosave_set(PyObject *callback, double seconds);

/* True while there is a callback. No GIL. */
bool autosave_is_set(void);

/* Call the callback if it is due. The watcher; no GIL. */
void autosave_tick(void);

/* Set whether there is a watcher, now or soon. Without one a signal takes effect at once. */
void autosave_attend(bool attended);

/* In the child of a fork: its interval begins now. */
void autosave_postfork_child(void);

#endif
