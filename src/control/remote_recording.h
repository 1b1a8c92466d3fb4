/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording for another process, which requests it through the control struct: see
 * pyusdt_control.h. It runs no Python code and writes nothing to disk: the counts lie in memory,
 * from where the other process copies them.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_REMOTE_RECORDING_H
#define PYUSDT_CONTROL_REMOTE_RECORDING_H

#include <stdbool.h>

#include "pyusdt_control.h"

/* Perform the `actions`, all or nothing. 0, or -1 and the reason in `why`. All structs may be
 * any bytes. GIL held; leaves no exception. */
int remote_recording_act(uint32_t actions, const struct pyusdt_record_options *options,
                         const struct pyusdt_record_timing *timing,
                         const struct pyusdt_record_lines *lines, char why[PYUSDT_MESSAGE_SIZE]);

/* Whether the lease has ended: there was no request for too long. Any thread, no GIL. */
bool remote_recording_is_over(void);

/* End the recording and free the counts. GIL held. */
void remote_recording_end(void);

/* The clients that record, and where the counts are. Any thread. */
struct pyusdt_record remote_recording_state(void);

/* In the child of a fork: it goes on, so that who records the parent finds all that the child has
 * done when it comes to it, within the lease. */
void remote_recording_postfork_child(void);

#endif
