/* SPDX-License-Identifier: Apache-2.0
 *
 * Applying the demand: everything that captures follows it, from the call trees to the events of
 * sys.monitoring. The watcher applies what it polls; a reader inside the process, such as the
 * recorder, applies what it wants at once.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_APPLY_H
#define PYUSDT_CONTROL_APPLY_H

#include <stdbool.h>

#include "probe/demand.h"

/* From now on the demand is followed: apply that of this moment. Returns it. */
probe_mask apply_start(void);

/* Disable all events and give the tool id back; nothing is applied until apply_start(). */
void apply_stop(void);

/* Have everything follow `watched`. 0, or one of monitor.h's errors: then nothing is applied. */
int apply_demand(probe_mask watched);

/* Apply what readers inside the process want, at once; probes that are enabled stay so. 0, also
 * where the demand is not followed (apply_start() applies it then), or one of monitor.h's errors.
 */
int apply_readers(void);

/* The demand that is applied. Any thread, no GIL. */
probe_mask apply_applied(void);

/* Why the last demand could not be applied: one of monitor.h's errors, or 0. Any thread, no GIL. */
int apply_refused(void);

/* Whether a demand that was refused should be tried again, or the tool id be checked, `msec` after
 * the last call. The watcher's; no GIL. */
bool apply_retry_is_due(int msec);

/* The retry is under way: the next one is due a second later. */
void apply_retry_begins(void);

#endif
