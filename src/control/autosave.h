/* SPDX-License-Identifier: Apache-2.0
 *
 * What the watcher runs for a recording that goes to a file: its writing now and then, and before
 * SIGTERM or SIGHUP ends the process.
 *
 * The signals are caught here, in C, and only while they are at their default: Python's handler
 * runs in the main thread, when that comes back from whatever it does, and signal.getsignal() would
 * show it. The handler leaves the rest to the watcher, which has the callback write and then dies
 * by that very signal. A second one does not wait.
 */
#ifndef PYUSDT_CONTROL_AUTOSAVE_H
#define PYUSDT_CONTROL_AUTOSAVE_H

#include <Python.h>
#include <stdbool.h>

/* How often the watcher has to look while there is a callback, at least. */
enum { AUTOSAVE_TICK_MSEC = 100 };

/* Have `callback` (NULL or None: nothing) called by the watcher: as callback(0) every `seconds` (0:
 * never), and as callback(signal) before one of the signals is obeyed. What it raises is dropped.
 * GIL held. */
void autosave_set(PyObject *callback, double seconds);

/* True while there is a callback. No GIL. */
bool autosave_is_set(void);

/* One look. The watcher; no GIL. */
void autosave_tick(void);

/* Whether there is a watcher, now or soon, to do it: without one a signal is obeyed at once. */
void autosave_attend(bool attended);

/* The child's own time begins. In the child of a fork. */
void autosave_postfork_child(void);

#endif
