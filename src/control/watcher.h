/* SPDX-License-Identifier: Apache-2.0
 *
 * The watcher: the background thread that sees demand change and has the monitor follow it.
 *
 * It wakes every PYUSDT_CHECK_MSEC, reads the semaphores without the GIL, and takes the GIL only to
 * apply a change. It blocks all signals (they are the program's), is named "pyusdt", and is joined
 * whenever it is stopped: at exit, and around fork, because os.fork() warns about other threads. It
 * ends by itself where nothing else of the process is left: a child that a thread has forked ends
 * with that thread.
 *
 * All functions are called with the GIL held, and give it up while they wait.
 */
#ifndef PYUSDT_CONTROL_WATCHER_H
#define PYUSDT_CONTROL_WATCHER_H

#include <stdbool.h>

/* Apply the demand of this moment, and start the thread. 0 also when it runs already; -1 with an
 * exception set where no thread can be had. */
int watcher_start(void);

/* Join the thread, switch all events off and give the tool id back. */
void watcher_stop(void);

/* Bring the status that others see up to this moment. */
void watcher_publish(void);

/* Around fork: fork.h has the order. From prefork on there is no thread, however often it is
 * wanted; after either postfork, watcher_resume() starts it where it is wanted. */
void watcher_prefork(void);
void watcher_postfork_parent(void);
void watcher_postfork_child(void);
void watcher_resume(void);

#endif
