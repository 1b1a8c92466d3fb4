/* SPDX-License-Identifier: Apache-2.0
 *
 * The sampler: while something records, a thread of ours looks, at random moments, at what each
 * thread with a call tree does, and charges its time to where it is (timesheet.h). It needs neither
 * the GIL nor a signal, and nothing of it runs in the program's threads but at their ends.
 *
 * Its thread, "pyusdt-sample", is the watcher's child: sampler_attend() starts and joins it.
 */
#ifndef PYUSDT_CONTROL_SAMPLER_H
#define PYUSDT_CONTROL_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/thread_entry.h"
#include "control/charges.h"
#include "pyusdt_control.h"

/* From now on threads are looked at every so many milliseconds, 0: never. What was charged before
 * is forgotten where that was never. GIL held. */
void sampler_want(uint32_t msec);

/* Whether the watcher is there to attend to it. GIL held. */
void sampler_allow(bool allowed);

/* Whether it is wanted, and there is what it takes. GIL held. */
bool sampler_works(void);

/* Looks that were wanted and that there were not. GIL held. */
uint64_t sampler_missed(void);

/* Look at this thread too, unless it is looked at, or its native id is not known. GIL held. */
void sampler_follow(struct thread *thread);

/* Charge what is not charged yet, of all threads. Any thread, no GIL needed. */
void sampler_settle(void);

/* Calls `fn` for the charges of an entry's thread, as charges_walk() does. Any thread. No charge is
 * made meanwhile. */
int sampler_walk(const struct thread *thread, charge_visitor fn, void *arg);

/* Start or join the thread, as it is wanted; join it. The watcher alone. No GIL. */
void sampler_attend(void);
void sampler_end(void);

/* For the status. Any thread. */
struct pyusdt_sampler sampler_state(void);

/* In the child of a fork: all begins anew. GIL held. */
void sampler_postfork_child(void);

/* Once. GIL held. */
void sampler_init(void);

#endif
