/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording for somebody outside, who asks for it through the control struct: see
 * pyusdt_control.h. Nothing of Python's is run for it, and nothing is written to disk: the counts
 * lie in memory, where who has asked for them fetches them.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_REMOTE_RECORDING_H
#define PYUSDT_CONTROL_REMOTE_RECORDING_H

#include <stdbool.h>

#include "pyusdt_control.h"

/* Do what the bits of `actions` say, all or nothing. 0, or -1 and why not, as a sentence. `options`
 * may be any bytes. GIL held; leaves no exception. */
int remote_recording_act(uint32_t actions, const struct pyusdt_record_options *options,
                         char why[PYUSDT_MESSAGE_SIZE]);

/* Whether nobody has asked for anything for too long. Any thread, no GIL. */
bool remote_recording_is_over(void);

/* End the recording that is over. GIL held. */
void remote_recording_end(void);

/* Who records, and where the counts are. Any thread. */
struct pyusdt_record remote_recording_state(void);

/* In the child of a fork: what was asked for was asked of the parent. */
void remote_recording_postfork_child(void);

#endif
