/* SPDX-License-Identifier: Apache-2.0
 *
 * The interface between the core and libpyusdt_compat.so. That library holds the probes that
 * CPython once had itself, of provider python, for tools that were written for those. It is a
 * library of its own because a tool must never find a name twice in a process: it is loaded only
 * into an interpreter without such probes (provider.h).
 *
 * Private to: probe
 */
#ifndef PYUSDT_PROBE_COMPAT_COMPAT_PROBES_H
#define PYUSDT_PROBE_COMPAT_COMPAT_PROBES_H

#include "base/compiler.h"
#include "probe/events.h"

/* Where each probe's semaphore is, and the function that hits its site. All borrowed from the
 * library, which is never unloaded. Strings are borrowed for the call, never NULL. */
struct pyusdt_compat {
#define COMPAT_MEMBERS(name, needs, summary, ...)                                                  \
    const volatile unsigned short *semaphore_##name;                                               \
    void (*fire_##name)(EACH(ARG_PARAMETER, __VA_ARGS__));
    PYUSDT_COMPAT(COMPAT_MEMBERS)
#undef COMPAT_MEMBERS
};

/* The one symbol that the library exports. Its number changes with the struct, so a library of
 * another release is not taken for this one. */
#define PYUSDT_COMPAT_SYMBOL "pyusdt_compat_1"
extern EXPORTED const struct pyusdt_compat pyusdt_compat_1;

#endif
