/* SPDX-License-Identifier: Apache-2.0 */
#include "probes.h"

#include "usdt.h"

/* One `noinline` function a probe: inlined, every copy would be one more uprobe to arm and one more
 * trap site to keep in step with the semaphore. Not cloned either, for the same reason. */
#define PROBE_DEFINE(name, shape, scope, since, needs, summary, ...)                               \
    USDT_DEFINE_SEMA(sema_##name);                                                                 \
    __attribute__((noinline)) void probe_##name(EACH(ARG_PARAMETER, __VA_ARGS__)) {                \
        probes_fired[PROBE_##name]++;                                                              \
        USDT_WITH_EXPLICIT_SEMA(sema_##name, pyusdt, name, EACH(ARG_NAME, __VA_ARGS__));           \
    }
PYUSDT_EVENTS(PROBE_DEFINE)

#define PROBE_SEMAPHORE(name, ...) [PROBE_##name] = &USDT_SEMA(sema_##name).active,
const volatile unsigned short *const probes_semaphores[PROBE_COUNT] = {
    PYUSDT_EVENTS(PROBE_SEMAPHORE)};

#define PROBE_ARGUMENTS(name, shape, scope, since, needs, summary, ...)                            \
    static const char *const arguments_##name[] = {EACH(ARG_TEXT, __VA_ARGS__), 0};
PYUSDT_EVENTS(PROBE_ARGUMENTS)

#define PROBE_INFO(name, shape, scope, since, needs, summary, ...)                                 \
    [PROBE_##name] = {#name, summary, arguments_##name, needs, since},
const struct probe_info probes_info[PROBE_COUNT] = {PYUSDT_EVENTS(PROBE_INFO)};

uint64_t probes_fired[PROBE_COUNT];

probe_mask probes_watched(void) {
    probe_mask watched = 0;

    for (int p = 0; p < PROBE_COUNT; p++)
        if (probe_on((enum probe)p))
            watched |= PROBE_BIT(p);
    return watched;
}
