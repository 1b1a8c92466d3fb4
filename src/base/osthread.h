/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of ours, and what the kernel knows about those of a process, and the C library does not
 * report.
 *
 * No Python.h, no GIL. Any thread.
 */
#ifndef PYUSDT_BASE_OSTHREAD_H
#define PYUSDT_BASE_OSTHREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* Whether the calling thread is the one whose id is the process's. In the child of a fork, that is
 * the thread that forked. */
bool osthread_is_main(void);

/* Wait until the kernel no longer counts a thread that has been joined. pthread_join() returns a
 * moment before that, and os.fork() warns by that count. Gives up after a second: a debugger may
 * hold the thread. */
void osthread_await_gone(pid_t tid);

/* Start a thread of ours. Signals belong to the program's threads: this one inherits a full mask. 0
 * or an errno. */
int osthread_start(pthread_t *thread, const char *name, void *(*run)(void *));

/* Lock it, unless that takes longer than a moment. For what may be held by who waits for us. */
bool osthread_lock_soon(pthread_mutex_t *mutex);

/* A condition that is waited for until a time of CLOCK_MONOTONIC. 0 or an errno. */
int osthread_init_wake(pthread_cond_t *wake);

/* Called by the main thread: from now on osthread_is_last() knows whether that has ended. */
void osthread_watch_main(void);

/* A thread of ours begins, or is about to end. In the child of a fork there is none. */
void osthread_ours_begins(void);
void osthread_ours_ends(void);
void osthread_postfork_child(void);

/* Whether the main thread has ended and only threads of ours keep the process alive. */
bool osthread_is_last(void);

#endif
