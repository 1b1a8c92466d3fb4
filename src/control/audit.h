/* SPDX-License-Identifier: Apache-2.0
 *
 * Audit events of CPython: which programs this process starts, and when Python comes to its own.
 */
#ifndef PYUSDT_CONTROL_AUDIT_H
#define PYUSDT_CONTROL_AUDIT_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/part.h"

/* Count the programs that are started from now on, or cease to. Without audit hooks, nothing is
 * counted. GIL held. */
void audit_count(bool on);

/* A list of (name, count), in the order of the first starts: the programs as they were named to
 * subprocess, os.exec*, os.posix_spawn* or os.system (the shell). There are at most 64; the last
 * may be "(others)". GIL held. A new reference, or NULL with an exception set. */
PyObject *audit_started(void);

/* The same as bytes, of a PYUSDT_PART_STARTED: returns how many pieces of `pieces` were filled, in
 * pairs. They point into `counts`, and to names that stay for ever. Any thread, no GIL. */
enum { AUDIT_NAMES = 64 };
int audit_pieces(struct part_piece pieces[2 * AUDIT_NAMES], uint64_t counts[AUDIT_NAMES]);

/* Count a program that os.exec* is about to put in the place of this one, before its audit event
 * does: what is written of this process is written before. GIL held; no exception set. */
void audit_exec_begins(PyObject *program);

/* Call `callback` without arguments when site is done and Python comes to the program, or at once
 * if site does not run or there are no audit hooks. What it raises then is dropped. GIL held. 0, or
 * -1 with an exception set, of a call at once. */
int audit_at_program(PyObject *callback);

/* In the child of a fork: it has started nothing. */
void audit_postfork_child(void);

#endif
