/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for a tracer, as `python -m pyusdt --wait` does.
 */
#ifndef PYUSDT_CONTROL_WAIT_TRACER_H
#define PYUSDT_CONTROL_WAIT_TRACER_H

/* Wait until a probe is watched and the set of watched probes has settled (tracers attach to them
 * one by one). 1, 0 after `seconds` (negative: never), or -1 with an exception set if a signal
 * handler raised one. GIL held; released while waiting. */
int wait_tracer(double seconds);

#endif
