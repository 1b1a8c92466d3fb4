/* SPDX-License-Identifier: Apache-2.0
 *
 * Demand: which events are wanted now. No Python.h, no GIL, no lock, never fails.
 */
#ifndef PYUSDT_PROBE_DEMAND_H
#define PYUSDT_PROBE_DEMAND_H

#include "probe/probes.h"

/* The reader inside the process, the recorder, has four bits above those of the probes: it
 * records; it records calls of C functions too; it takes the times of all calls, which the sampler
 * does otherwise; it records the lines of some functions. */
#define DEMAND_RECORDER PROBE_BIT(PROBE_COUNT)
#define DEMAND_C_CALLS PROBE_BIT(PROBE_COUNT + 1)
#define DEMAND_TIMES PROBE_BIT(PROBE_COUNT + 2)
#define DEMAND_LINES PROBE_BIT(PROBE_COUNT + 3)
#define DEMAND_READERS (DEMAND_RECORDER | DEMAND_C_CALLS | DEMAND_TIMES | DEMAND_LINES)

/* Set what the readers inside the process want from now on. Any thread. */
void demand_read(probe_mask readers);

/* All that is wanted now: the watched probes, and the readers. Any thread. */
probe_mask demand_now(void);

/* The events that these probes and readers need. */
event_mask demand_of(probe_mask wanted);

/* Those of them that are needed in code whose record is lined, and nowhere else. */
event_mask demand_local(probe_mask wanted);

#endif
