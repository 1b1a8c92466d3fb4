/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes the GIL in a thread of ours. Without memory for a thread state, PyGILState_Ensure() ends
 * the process ("Couldn't create thread-state for new thread"); this does not.
 */
#ifndef PYUSDT_PYTHON_GIL_H
#define PYUSDT_PYTHON_GIL_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* Remember the calling interpreter, whose GIL it is. GIL held. */
void gil_init(void);

/* Take the GIL. False, without it: out of memory, or Python is being finalized. Called by the
 * watcher, without the GIL. Each gil_take() that returned true is followed by gil_give(). */
bool gil_take(void);
void gil_give(void);

/* In the child of a fork, before there is a thread of ours in it. GIL held. */
void gil_postfork_child(void);

/* What a thread of ours that waits for the GIL in gil_take() now is known by: its id in the lower
 * half, and another number each time in the upper one. 0: none does. Any thread. */
uint64_t gil_asking(void);

#endif
