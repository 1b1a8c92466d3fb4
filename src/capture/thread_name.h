/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of threads. The name and the native id come from threading's Thread objects, read from
 * their own __dict__ so that no user code runs. A thread that threading does not know has the name
 * that the kernel knows.
 *
 * GIL held for everything here. Nothing leaves an exception set, but for thread_name_init().
 */
#ifndef PYUSDT_CAPTURE_THREAD_NAME_H
#define PYUSDT_CAPTURE_THREAD_NAME_H

#include <Python.h>
#include <stdbool.h>

struct thread;

/* 0, or -1 with an exception set. */
int thread_name_init(void);

/* threading._active, a dict from ident to Thread: a new reference. NULL if threading is not
 * imported, or the program has put something else there. */
PyObject *thread_name_active(void);

/* Read the name, and the native id if it is not known, of a living thread. `active` is
 * thread_name_active(). */
void thread_name(struct thread *thread, PyObject *active);

/* Name the running thread when it is met: it may end before it is seen again. `begins`: it is about
 * to enter Thread._bootstrap. */
void thread_name_self(struct thread *thread, bool begins);

#endif
