/* SPDX-License-Identifier: Apache-2.0
 *
 * The rate of the clock's ticks, as recordings keep it: it changes by more than measuring noise or
 * not at all, so that figures at rest stay the same.
 *
 * Written under the GIL; read by whoever came after a rate_refine().
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_RATE_H
#define PYUSDT_CONTROL_RATE_H

/* GIL held. */
void rate_refine(void);

/* 0: not refined yet. */
double rate_ns_per_tick(void);

#endif
