/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/probes.h"

#include "usdt.h"

_Atomic uint64_t probes_fired[PROBE_COUNT];

/* Beside the trap that follows, an atomic add costs nothing. */
static inline void count(enum probe p) {
    atomic_fetch_add_explicit(&probes_fired[p], 1, memory_order_relaxed);
}

/* One `noinline` function for each probe: if it were inlined, every copy would be one more uprobe
 * to arm and one more trap site. */
#define PROBE_DEFINE(name, needs, summary, ...)                                                    \
    USDT_DEFINE_SEMA(sema_##name);                                                                 \
    NOINLINE void probe_##name(EACH(ARG_PARAMETER, __VA_ARGS__)) {                                 \
        count(PROBE_##name);                                                                       \
        USDT_WITH_EXPLICIT_SEMA(sema_##name, pyusdt, name, EACH(ARG_NAME, __VA_ARGS__));           \
    }
#define PROBE_DEFINE_EVENT(name, shape, scope, frame, argc, ...) PROBE_DEFINE(name, __VA_ARGS__)
PYUSDT_OWN(PROBE_DEFINE, PROBE_DEFINE_EVENT)

/* The sites of provider python are in a library of their own. NULL if it is not loaded. */
static const struct pyusdt_compat *s_compat;
static const unsigned short s_never;

#define PROBE_FORWARD(name, needs, summary, ...)                                                   \
    void probe_##name(EACH(ARG_PARAMETER, __VA_ARGS__)) {                                          \
        count(PROBE_##name);                                                                       \
        s_compat->fire_##name(EACH(ARG_NAME, __VA_ARGS__));                                        \
    }
PYUSDT_COMPAT(PROBE_FORWARD)

#define PROBE_SEMAPHORE(name, ...) [PROBE_##name] = &USDT_SEMA(sema_##name).active,
#define PROBE_NO_SEMAPHORE(name, ...) [PROBE_##name] = &s_never,
const volatile unsigned short *probes_semaphores[PROBE_COUNT] = {
    PYUSDT_OWN(PROBE_SEMAPHORE, PROBE_SEMAPHORE) PYUSDT_COMPAT(PROBE_NO_SEMAPHORE)};

#define PROBE_CONNECT(name, ...) probes_semaphores[PROBE_##name] = compat->semaphore_##name;
void probes_connect(const struct pyusdt_compat *compat) {
    s_compat = compat;
    PYUSDT_COMPAT(PROBE_CONNECT)
}

#define PROBE_ARGUMENTS(name, needs, summary, ...)                                                 \
    static const char *const arguments_##name[] = {EACH(ARG_TEXT, __VA_ARGS__), 0};
#define PROBE_ARGUMENTS_EVENT(name, shape, scope, frame, argc, ...)                                \
    PROBE_ARGUMENTS(name, __VA_ARGS__)
PYUSDT_PROBES(PROBE_ARGUMENTS, PROBE_ARGUMENTS_EVENT)

#define PROBE_INFO_OF(provider, name, needs, summary, ...)                                         \
    [PROBE_##name] = {provider, #name, summary, arguments_##name, needs},
#define PROBE_INFO(...) PROBE_INFO_OF("pyusdt", __VA_ARGS__)
#define PROBE_INFO_EVENT(name, shape, scope, frame, argc, ...) PROBE_INFO(name, __VA_ARGS__)
#define PROBE_INFO_COMPAT(...) PROBE_INFO_OF("python", __VA_ARGS__)
const struct probe_info probes_info[PROBE_COUNT] = {PYUSDT_OWN(PROBE_INFO, PROBE_INFO_EVENT)
                                                        PYUSDT_COMPAT(PROBE_INFO_COMPAT)};

probe_mask probes_watched(void) {
    probe_mask watched = 0;

    for (int p = 0; p < PROBE_COUNT; p++)
        if (probe_on((enum probe)p))
            watched |= PROBE_BIT(p);
    return watched;
}
