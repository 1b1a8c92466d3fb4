/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells tracers again and again what they have to know at the start: a tracer that comes while
 * another is there does not show in the semaphore, and the first telling may have come between a
 * tracer's raising it and its program being in place.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_REPLAY_H
#define PYUSDT_CONTROL_REPLAY_H

#include <stdbool.h>

#include "probe/probes.h"

/* Tell of all known code objects and threads, as far as they are watched. GIL held. */
void replay_all(void);

/* The demand is applied, and `fresh` are the probes that nobody watched before. GIL held. */
void replay_apply(probe_mask fresh);

/* Another look, `tick_msec` after the last one: whether it is time. `watched` is the demand that is
 * applied. The watcher's thread, no GIL needed. */
bool replay_is_due(probe_mask watched, int tick_msec);

#endif
