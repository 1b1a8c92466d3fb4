/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for a tracer, as `python -m pyusdt --wait` does.
 */
#ifndef PYUSDT_CONTROL_WAIT_TRACER_H
#define PYUSDT_CONTROL_WAIT_TRACER_H

/* Wait until some probe is watched and the set of watched probes has settled (tracers attach to one
 * after the other). 1, 0 after `seconds` (negative: for ever), or -1 with an exception set where a
 * signal handler raised one. GIL held; given up while waiting. */
int wait_tracer(double seconds);

#endif
