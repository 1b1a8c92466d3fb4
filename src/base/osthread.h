/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel knows of a process's threads, and the C library does not tell.
 *
 * No Python.h, no GIL. Any thread.
 */
#ifndef PYUSDT_BASE_OSTHREAD_H
#define PYUSDT_BASE_OSTHREAD_H

#include <stdbool.h>
#include <sys/types.h>

/* Is the calling thread the one whose id is the process's? In the child of a fork it is the one
 * that has forked. */
bool osthread_is_main(void);

/* Wait until a thread that has been joined is counted no more. pthread_join() returns a moment
 * before that, and os.fork() warns by that count. For a second at most: a debugger may hold it. */
void osthread_await_gone(pid_t tid);

/* The calling thread is the main one: from now on osthread_is_last() knows whether it has ended. */
void osthread_watch_main(void);

/* Is the calling thread all that keeps the process alive, since the main one has ended? */
bool osthread_is_last(void);

#endif
