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

/* Of a request, with any bytes in it. */
struct remote_recording_request {
    struct pyusdt_record_options options;
    struct pyusdt_record_timing timing;
    struct pyusdt_record_lines lines;
    struct pyusdt_record_memory memory;
};

/* Perform the `actions`, all or nothing. 0, or -1 and the reason in `why`. GIL held; leaves no
 * exception. */
int remote_recording_act(uint32_t actions, const struct remote_recording_request *request,
                         char why[PYUSDT_MESSAGE_SIZE]);

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
