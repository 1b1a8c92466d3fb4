/* SPDX-License-Identifier: Apache-2.0
 *
 * Fires code__new and thread__state again and again, because a tracer needs all of them and may
 * have missed some: a second tracer on a probe does not show in our demand, and the first replay
 * may run after a tracer has raised the semaphore but before its program is in place.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_REPLAY_H
#define PYUSDT_CONTROL_REPLAY_H

#include <stdbool.h>

#include "probe/probes.h"

/* Fire the probes, if watched, for all known code objects and threads. GIL held. */
void replay_all(void);

/* Called after a demand is applied; `fresh` are the probes that were not watched before. GIL held.
 */
void replay_apply(probe_mask fresh);

/* Whether a replay is due, `tick_msec` after the last call. `watched` is the demand that is
 * applied. The watcher's thread, no GIL needed. */
bool replay_is_due(probe_mask watched, int tick_msec);

#endif
