/* SPDX-License-Identifier: Apache-2.0
 *
 * The probes gc__begin and gc__end, from gc.callbacks.
 *
 * GIL held for everything here. Nothing leaves an exception set, but for gc_init().
 */
#ifndef PYUSDT_CAPTURE_GC_H
#define PYUSDT_CAPTURE_GC_H

#include "probe/probes.h"

/* 0, or -1 with an exception set. */
int gc_init(void);

/* Be in gc.callbacks if and only if one of the two probes is watched. */
void gc_apply(probe_mask watched);

#endif
