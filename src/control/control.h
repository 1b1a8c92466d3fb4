/* SPDX-License-Identifier: Apache-2.0
 *
 * Live control: changes the settings of a running program, and publishes its status. The struct
 * that others read and write, and the protocol, are in pyusdt_control.h.
 */
#ifndef PYUSDT_CONTROL_CONTROL_H
#define PYUSDT_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "pyusdt_control.h"

/* Fill in what never changes. Once, GIL held. */
void control_init(void);

/* Add a count of losses to the status. `name` is static; `count` is called from any thread, without
 * the GIL. Once each, before the watcher starts; at most PYUSDT_LOSSES_MAX. */
void control_add_loss(const char *name, uint64_t (*count)(void));

/* Whether a request waits for its answer. Any thread, no GIL. */
bool control_requested(void);

/* Apply the request, all or nothing, and keep the answer for control_publish(). GIL held. Leaves no
 * exception. */
void control_answer(void);

/* 0, or -1 if a request (any bytes) is not valid, or has actions, which only come from outside:
 * `why` is then the reason. GIL held. */
int control_check(const struct pyusdt_request *request, char why[PYUSDT_MESSAGE_SIZE]);

/* Check a request and apply it. As control_check(). */
int control_apply(const struct pyusdt_request *request, char why[PYUSDT_MESSAGE_SIZE]);

/* Publish the present status. Any thread, no GIL needed. */
void control_publish(uint32_t watcher, uint32_t dormant);

/* The setting check_msec. Any thread, no GIL needed. */
int control_check_msec(void);

/* Copy the struct as others see it. Any thread. */
void control_copy(struct pyusdt_control *copy);

/* In the child of a fork: renew the lock, which another thread of the parent may have held. */
void control_postfork_child(void);

#endif
