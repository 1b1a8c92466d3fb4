/* SPDX-License-Identifier: Apache-2.0 */
#include "control/replay.h"

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "capture/code.h"
#include "capture/tracking.h"

/* How often to replay, and at most which part of the time: one in REPLAY_SHARE. */
enum { REPLAY_MSEC = 1000, REPLAY_SHARE = 200 };

#define REPLAYED (PROBE_BIT(PROBE_code__new) | PROBE_BIT(PROBE_thread__state))

/* Time until the next replay. The watcher counts it down without the GIL; a thread that applies a
 * demand sets it again. */
static _Atomic int s_left_msec;

void replay_all(void) {
    uint64_t begin_ns = clock_monotonic_ns();
    int pause;

    code_replay();
    if (probe_on(PROBE_thread__state))
        tracking_fire_states(true);
    pause = (int)((clock_monotonic_ns() - begin_ns) / 1000000 * REPLAY_SHARE);
    s_left_msec = pause > REPLAY_MSEC ? pause : REPLAY_MSEC;
}

void replay_apply(probe_mask fresh) {
    if (!(fresh & REPLAYED))
        return;
    replay_all();
    s_left_msec = 0; /* again at the next poll: a program may run no longer than that */
}

bool replay_is_due(probe_mask watched, int tick_msec) {
    if (!(watched & REPLAYED))
        return false;
    s_left_msec -= tick_msec;
    return s_left_msec <= 0;
}
