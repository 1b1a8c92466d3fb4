/* SPDX-License-Identifier: Apache-2.0
 *
 * The USDT probes: one function, one site and one semaphore each.
 *
 * No Python.h; nothing here needs the GIL, blocks, allocates or fails. A semaphore is written by
 * the kernel at any moment: a probe that is on when asked may be off when fired, which costs a nop.
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

/* What is known about a probe, for people. All borrowed from static storage. */
struct probe_info {
    const char *provider;
    const char *name;
    const char *summary;
    const char *const *arguments; /* "type name", NULL at the end */
    event_mask needs;
};
extern const struct probe_info probes_info[PROBE_COUNT];

/* Times that each probe was fired. Written by whoever fires, without a lock: under the GIL it is
 * exact; a free-threaded build may lose counts, never more. Any thread reads. */
extern _Atomic uint64_t probes_fired[PROBE_COUNT];

/* An event's own probe: the table has them in the same order. */
static inline enum probe event_probe(enum event event) {
    return (enum probe)event;
}

/* Where each probe's semaphore lives: not zero while somebody watches the probe. Those of provider
 * python are never watched before probes_connect(). */
extern const volatile unsigned short *probes_semaphores[PROBE_COUNT];

static inline bool probe_on(enum probe p) {
    return UNLIKELY(*probes_semaphores[p] != 0);
}

/* Put the probes of provider python where this is; `compat` is borrowed for ever. Called once,
 * while no other thread asks for a probe. */
void probes_connect(const struct pyusdt_compat *compat);

/* The probes that somebody watches now. */
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
