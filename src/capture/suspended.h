/* SPDX-License-Identifier: Apache-2.0
 *
 * When the generators and coroutines that are suspended were entered first: what their latency is
 * counted from. Each is known by its frame object, which lives as long as it does. GIL held for
 * everything here.
 */
#ifndef PYUSDT_CAPTURE_SUSPENDED_H
#define PYUSDT_CAPTURE_SUSPENDED_H

#include <stdint.h>

#include "calltree/code_record.h"

/* The running frame, of `code`, is suspended for the first time, and was entered at `began`. */
void suspended_keep(const struct code_record *code, uint64_t began);

/* When the running frame, of `code`, which is resumed, was entered first; 0: not known. */
uint64_t suspended_began(const struct code_record *code);

/* The running frame ends. */
void suspended_forget(void);

/* Forget all: what is suspended now may end unseen. */
void suspended_clear(void);

/* How many were forgotten for lack of room, ever. Any thread. */
extern uint64_t suspended_lost;

#endif
