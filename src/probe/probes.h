/* SPDX-License-Identifier: Apache-2.0
 *
 * The USDT probes: one function, one site and one semaphore each.
 *
 * No Python.h; nothing here needs the GIL, blocks, allocates or fails. The kernel writes a
 * semaphore at any moment: a probe may be off by the time it is fired, which costs a nop.
 */
#ifndef PYUSDT_PROBE_PROBES_H
#define PYUSDT_PROBE_PROBES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/compat/compat_probes.h"
#include "probe/events.h"

#define PROBE_ENUM(name, ...) PROBE_##name,
enum probe { PYUSDT_PROBES(PROBE_ENUM, PROBE_ENUM) PROBE_COUNT };
#undef PROBE_ENUM
_Static_assert(PROBE_STOP_ITERATION == (int)EVENT_STOP_ITERATION, "events' probes come first");

/* A set of probes, one bit each in the order of enum probe. */
typedef uint64_t probe_mask;
#define PROBE_BIT(p) ((probe_mask)1 << (p))

/* A row of the probe table. All borrowed from static storage. */
struct probe_info {
    const char *provider;
    const char *name;
    const char *summary;
    const char *const *arguments; /* "type name", NULL at the end */
    event_mask needs;
};
extern const struct probe_info probes_info[PROBE_COUNT];

/* How often each probe was fired. Any thread reads. */
extern _Atomic uint64_t probes_fired[PROBE_COUNT];

/* An event's own probe: the table has them in the same order. */
static inline enum probe event_probe(enum event event) {
    return (enum probe)event;
}

/* Where each probe's semaphore is: not zero while a tracer watches the probe. Those of provider
 * python are zero before probes_connect(). */
extern const volatile unsigned short *probes_semaphores[PROBE_COUNT];

static inline bool probe_on(enum probe p) {
    return UNLIKELY(*probes_semaphores[p] != 0);
}

/* Connect the probes of provider python to their library. `compat` is borrowed for ever. Called
 * once, while no other thread uses probes. */
void probes_connect(const struct pyusdt_compat *compat);

/* The probes that tracers watch now. */
probe_mask probes_watched(void);

/* void probe_NAME(arguments...): hit the site. Strings are borrowed for the call, never NULL.
 * The caller has checked probe_on(). */
#define PROBE_DECLARE(name, needs, summary, ...)                                                   \
    void probe_##name(EACH(ARG_PARAMETER, __VA_ARGS__));
#define PROBE_DECLARE_EVENT(name, shape, scope, frame, argc, ...) PROBE_DECLARE(name, __VA_ARGS__)
PYUSDT_PROBES(PROBE_DECLARE, PROBE_DECLARE_EVENT)
#undef PROBE_DECLARE
#undef PROBE_DECLARE_EVENT

#endif
