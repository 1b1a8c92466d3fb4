/* SPDX-License-Identifier: Apache-2.0
 *
 * Greenlets (of the package greenlet, on which gevent and eventlet are built): several stacks that
 * take turns on one thread. The package reports each turn by a hook of its own,
 * greenlet.settrace(), which every thread has to itself.
 *
 * GIL held for everything here. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_GREENLETS_H
#define PYUSDT_CAPTURE_GREENLETS_H

#include <stdbool.h>

/* 0, or -1 with an exception set. `switched` is called in the greenlet that has its turn now, each
 * time that the running thread has switched. */
int greenlets_init(void (*switched)(void));

/* Whether turns are wanted. Where they no longer are, a hook goes when it is called next. */
void greenlets_want(bool wanted);

/* Whether the program has imported greenlet. We never import it. */
bool greenlets_imported(void);

/* Hook into the running thread, unless it is: before a hook that the program has set, which is
 * called as ever. */
void greenlets_hook(void);

#endif
