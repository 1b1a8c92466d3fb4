/* SPDX-License-Identifier: Apache-2.0
 *
 * Live control: has a running program follow changed settings, and publishes its status. The
 * struct that others read and write, and the protocol, are in pyusdt_control.h.
 */
#ifndef PYUSDT_CONTROL_CONTROL_H
#define PYUSDT_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "pyusdt_control.h"

/* Fill in what stays as it is. Once, GIL held. */
void control_init(void);

/* Have the status show one more count of what was lost. `name` is static, `count` is called from
 * any thread, without the GIL. Once each, before the watcher starts; at most PYUSDT_LOSSES_MAX. */
void control_add_loss(const char *name, uint64_t (*count)(void));

/* Whether a request waits for its answer. Any thread, no GIL. */
bool control_requested(void);

/* Do what the request asks for, all or nothing, and keep the answer for control_publish(). GIL
 * held. Leaves no exception. */
void control_answer(void);

/* 0, or -1 where a request (any bytes) is not good, or has actions, which come from outside only:
 * `why` is then a sentence. GIL held. */
int control_check(const struct pyusdt_request *request, char why[PYUSDT_MESSAGE_SIZE]);

/* The same, and do it. */
int control_apply(const struct pyusdt_request *request, char why[PYUSDT_MESSAGE_SIZE]);

/* Write the status as it is now. Any thread, no GIL needed. */
void control_publish(uint32_t watcher, uint32_t dormant);

/* How often the watcher looks, as of now. Any thread, no GIL needed. */
int control_check_msec(void);

/* The struct as others see it, copied. Any thread. */
void control_copy(struct pyusdt_control *copy);

/* In the child of a fork: there is one thread, and locks are as they were. */
void control_postfork_child(void);

#endif
