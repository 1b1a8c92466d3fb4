/* SPDX-License-Identifier: Apache-2.0
 *
 * All of libpyusdt_compat.so: the probes of provider python. The core fires them (callback.c).
 */
#include "probe/compat/compat_probes.h"

#include "base/compiler.h"
#include "usdt.h"

/* One `noinline` function for each probe, as in ../probes.c. */
#define PROBE_DEFINE(name, needs, summary, ...)                                                    \
    USDT_DEFINE_SEMA(sema_##name);                                                                 \
    static NOINLINE void fire_##name(EACH(ARG_PARAMETER, __VA_ARGS__)) {                           \
        USDT_WITH_EXPLICIT_SEMA(sema_##name, python, name, EACH(ARG_NAME, __VA_ARGS__));           \
    }
PYUSDT_COMPAT(PROBE_DEFINE)

#define PROBE_MEMBERS(name, ...)                                                                   \
    .semaphore_##name = &USDT_SEMA(sema_##name).active, .fire_##name = fire_##name,
const struct pyusdt_compat pyusdt_compat_1 = {PYUSDT_COMPAT(PROBE_MEMBERS)};
