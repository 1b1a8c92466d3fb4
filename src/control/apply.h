/* SPDX-License-Identifier: Apache-2.0
 *
 * Applying the demand to everything that captures, from the call trees to the events of
 * sys.monitoring. The watcher applies the demand that it polls. A reader inside the process, such
 * as the recorder, applies its own at once.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_APPLY_H
#define PYUSDT_CONTROL_APPLY_H

#include <stdbool.h>

#include "probe/demand.h"

/* Start to follow the demand: apply the present one, and return it. */
probe_mask apply_start(void);

/* Disable all events and give the tool id back; nothing is applied until apply_start(). */
void apply_stop(void);

/* Apply `watched`. 0, or one of monitor.h's errors: then nothing is applied. */
int apply_demand(probe_mask watched);

/* Apply what readers inside the process want, at once; the probes that are applied stay so. 0, also
 * before apply_start(), which will apply it, or one of monitor.h's errors. */
int apply_readers(void);

/* The demand that is applied. Any thread, no GIL. */
probe_mask apply_applied(void);

/* Why the last demand could not be applied: one of monitor.h's errors, or 0. Any thread, no GIL. */
int apply_refused(void);

/* Whether it is time to try a refused demand again and to check the tool id, `msec` after the last
 * call. The watcher's; no GIL. */
bool apply_retry_is_due(int msec);

/* Start the time to the next retry. */
void apply_retry_begins(void);

#endif
