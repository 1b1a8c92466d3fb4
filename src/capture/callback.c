/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/callback.h"

#include "capture/callback_fast.h"
#include "capture/callback_full.h"
#include "capture/callback_reject.h"
#include "capture/tracking.h"
#include "probe/demand.h"
#include "python/callable.h"
#include "python/number.h"

/* Written under the GIL. */
static PyObject *s_callbacks[EVENT_COUNT];

/* code__new fires where a function is met, whatever the callback does. */
void callback_apply(probe_mask wanted) {
    probe_mask beside = wanted & ~PROBE_BIT(PROBE_code__new);
    probe_mask recorder = wanted & (DEMAND_RECORDER | DEMAND_TIMES);
    vectorcallfunc (*choose)(enum event) = callback_full;

    if (recorder && !(wanted & ~DEMAND_READERS))
        choose = recorder & DEMAND_TIMES ? callback_fast_recorder : callback_fast_counter;
    else if (beside && !(beside & ~TRACKING_PROBES))
        choose = callback_fast_tracer;
    else if (beside == PROBE_BIT(PROBE_events))
        choose = callback_fast_batch;
    for (int e = 0; e < EVENT_COUNT; e++)
        ((struct callable *)s_callbacks[e])->call = choose((enum event)e);
}

int callback_init(PyObject *disable) {
    number_init();
    for (int e = 0; e < EVENT_COUNT; e++) {
        s_callbacks[e] = callable_new(callback_full((enum event)e), NULL);
        if (!s_callbacks[e])
            return -1;
    }
    callback_reject_init(disable);
    return 0;
}

PyObject *callback_of(enum event event) {
    return s_callbacks[event];
}

bool callback_take_disabled(void) {
    return callback_reject_take();
}
