/* SPDX-License-Identifier: Apache-2.0
 *
 * The watcher: the background thread that polls the demand and applies it. It is named "pyusdt".
 * Its life, its threads and locks: watcher.c.
 *
 * All functions are called with the GIL held, and release it while they wait.
 */
#ifndef PYUSDT_CONTROL_WATCHER_H
#define PYUSDT_CONTROL_WATCHER_H

#include <stdbool.h>

/* Apply the present demand, and start the thread, unless it runs already. Where the system has no
 * thread for us, that is logged and nothing is enabled: the program goes on without us. */
void watcher_start(void);

/* Join the thread, disable all events and give the tool id back. */
void watcher_stop(void);

/* Publish the present status. */
void watcher_publish(void);

/* Have the next poll now. */
void watcher_kick(void);

/* A save has begun or ended: while there are some, the endings of the process are attended to. GIL
 * held; released meanwhile. */
void watcher_follow_saves(void);

/* Around fork, in the order of fork.c. From prefork on there is no thread; after either postfork,
 * watcher_resume() starts it if it is wanted. */
void watcher_prefork(void);
void watcher_postfork_parent(void);
void watcher_postfork_child(void);
void watcher_resume(void);

#endif
