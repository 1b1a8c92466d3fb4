/* SPDX-License-Identifier: Apache-2.0
 *
 * Endings: what is recorded to files is written before a signal ends the process. How the signals
 * are handled: endings.c.
 *
 * Private to: control, module_record.c
 */
#ifndef PYUSDT_CONTROL_ENDINGS_H
#define PYUSDT_CONTROL_ENDINGS_H

#include <Python.h>
#include <stdbool.h>

/* Have `callback` (NULL or None: nothing) called with the signal's name, once all has been written
 * and before the signal ends the process: if the GIL is to be had. Exceptions that it raises are
 * dropped. GIL held. */
void endings_set(PyObject *callback);

/* Start the thread that handles the signals, if it is not there; or have it end. Unless it is
 * `for_good`, which restores the default actions, a signal that arrives meanwhile waits for the
 * next start. No GIL. One thread at a time. */
void endings_start(void);
void endings_stop(bool for_good);

/* Where a signal is ending the process already, wait for that: it is to end by the signal, and not
 * by what the program does meanwhile. Has a bound. No GIL; what the callback needs is free. */
void endings_await(void);

/* Have signals whose handlers may raise an exception wait, as far as they come to this thread,
 * until it no longer holds them. Nests. No other signal waits: what ends the process does so. */
void endings_hold(bool hold);

/* In the child of a fork: there is no thread. */
void endings_postfork_child(void);

#endif
