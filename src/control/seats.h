/* SPDX-License-Identifier: Apache-2.0
 *
 * Seats: who is looked at, and what was charged to them.
 *
 * Each entry of a thread (thread.h) gets a seat, which lives as long as the entry, that is for
 * ever. It is *taken* while the thread is looked at: from its first event, or the beginning of the
 * recording, to its end. Another thread that gets the entry takes the seat anew; merged with the
 * ended one, it goes on with its charges.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_SEATS_H
#define PYUSDT_CONTROL_SEATS_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/thread_entry.h"
#include "control/charges.h"
#include "control/look.h"

/* Look at all of them once: how many. The sampler's thread alone. */
uint32_t seats_look(struct looker *looker);
/* It looks no more. */
void seats_close(struct looker *looker);

/* See sampler.h. */
void seats_follow(struct thread *thread);
void seats_settle(void);
int seats_walk(const struct thread *thread, charge_visitor fn, void *arg);

/* Nobody is looked at, and nothing is charged to anybody. GIL held. */
void seats_forget(void);

/* In the child of a fork; `wanted`: its thread is looked at. GIL held. */
void seats_postfork_child(bool wanted);

/* Once. GIL held. */
void seats_init(void);

#endif
