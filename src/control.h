/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings: what they are when the program starts, and what they may become. The environment
 * sets them first; a bad value is reported in one line and the default stays: importing pyusdt
 * never fails because of a setting. live.h changes them later.
 */
#ifndef PYUSDT_CONTROL_H
#define PYUSDT_CONTROL_H

#include <stdint.h>

#include "pyusdt_control.h"

enum { CHECK_MSEC_MIN = 1, CHECK_MSEC_MAX = 10000, CHECK_MSEC_DEFAULT = 100 };
enum { SLOW_USEC_DEFAULT = 10000 };
#define SLOW_USEC_MAX 1000000000000u /* 11 days: nanoseconds and ticks stay far from overflow */

/* Good at any time, as control_check() has it. Read and written under the GIL. */
extern struct pyusdt_settings control_settings;

/* Read the environment: PYUSDT_CHECK_MSEC and so on, the names of the settings. Never fails. */
void control_init(void);

/* 0, or -1 where a setting is not good: `why` is then a sentence that names it. Any thread. Looks
 * at all bytes of `wanted`, which may be anything. */
int control_check(const struct pyusdt_settings *wanted, char why[PYUSDT_MESSAGE_SIZE]);

#endif
