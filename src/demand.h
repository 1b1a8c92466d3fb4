/* SPDX-License-Identifier: Apache-2.0
 *
 * Demand: which events are wanted now. No Python.h, no GIL, no lock, never fails.
 */
#ifndef PYUSDT_DEMAND_H
#define PYUSDT_DEMAND_H

#include "probes.h"

/* The events that these probes need, together. */
event_mask demand_of(probe_mask watched);

#endif
