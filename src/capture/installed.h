/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files are those of the standard library and of packages that are installed, and not of the
 * program. GIL held for everything here; nothing leaves an exception set.
 *
 * Private to: capture/lined.c
 */
#ifndef PYUSDT_CAPTURE_INSTALLED_H
#define PYUSDT_CAPTURE_INSTALLED_H

#include <Python.h>
#include <stdbool.h>

/* 0, or -1 with an exception set. */
int installed_init(void);

/* Finds the directories: those of sys.path now, which the program may change later. Runs no code
 * of the program. */
void installed_find(void);

/* Whether the file of a code object is in one of them, or frozen. What else has no path is of the
 * program. */
bool installed_has(const char *file);

#endif
