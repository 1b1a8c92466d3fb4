/* SPDX-License-Identifier: Apache-2.0
 *
 * The GIL for a thread of ours. PyGILState_Ensure() ends the process where there is no memory for a
 * thread state ("Couldn't create thread-state for new thread"); this does not.
 */
#ifndef PYUSDT_PYTHON_GIL_H
#define PYUSDT_PYTHON_GIL_H

#include <Python.h>
#include <stdbool.h>

/* The interpreter whose GIL it is: the calling one. GIL held. */
void gil_init(void);

/* Take it; false: out of memory, or Python has begun to end, and it is not held. The watcher, which
 * does not hold it. Each gil_take() that returned true is followed by gil_give(). */
bool gil_take(void);
void gil_give(void);

#endif
