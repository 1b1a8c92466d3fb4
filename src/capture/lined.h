/* SPDX-License-Identifier: Apache-2.0
 *
 * Which functions have their lines recorded, and between which lines their code lies. GIL held for
 * everything here; nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_LINED_H
#define PYUSDT_CAPTURE_LINED_H

#include <Python.h>
#include <stdbool.h>

#include "calltree/code_record.h"

/* 0, or -1 with an exception set. */
int lined_init(void);

/* How many may want lines independently of each other. */
enum { LINED_CLIENTS = 2 };

/* What a client that records wants from now on; "" for `lines`: what is marked alone. Lists as in
 * recorder.h, checked, shorter than PYUSDT_FILTER_SIZE, copied. NULL: it records no more. */
void lined_set(int client, const char *lines, bool of_program);

/* Whether there is any pattern. */
bool lined_any(void);

/* Whether the lines of `record` are wanted, if it is recorded at all. */
bool lined_wants(const struct code_record *record);

/* The lines of `code`, whose record it is, are among those of the record from now on. */
void lined_cover(struct code_record *record, PyObject *code);

#endif
