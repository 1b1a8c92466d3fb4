/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings: what they are when the program starts, and what they may become. The environment
 * sets them first; a bad value is reported in one line and the default stays: importing pyusdt
 * never fails because of a setting. live.h changes them later.
 */
#ifndef PYUSDT_CONTROL_SETTINGS_H
#define PYUSDT_CONTROL_SETTINGS_H

#include <stdint.h>

#include "pyusdt_control.h"

enum { CHECK_MSEC_MIN = 1, CHECK_MSEC_MAX = 10000, CHECK_MSEC_DEFAULT = 100 };
enum { SLOW_USEC_DEFAULT = 10000 };
#define SLOW_USEC_MAX 1000000000000u /* 11 days: nanoseconds and ticks stay far from overflow */

/* Good at any time, as settings_check() has it. Read and written under the GIL. */
extern struct pyusdt_settings settings;

/* Make `wanted`, which is good, the settings, and pass the ones on that the layers below read. GIL
 * held. */
void settings_set(const struct pyusdt_settings *wanted);

/* Read the environment: PYUSDT_CHECK_MSEC and so on, the names of the settings. Never fails. */
void settings_init(void);

/* 0, or -1 where a setting is not good: `why` is then a sentence that names it. Any thread. Looks
 * at all bytes of `wanted`, which may be anything. */
int settings_check(const struct pyusdt_settings *wanted, char why[PYUSDT_MESSAGE_SIZE]);

#endif
