/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings, and what values are valid. The environment sets them when the program starts, but
 * for Python's options -E and -I. An invalid value is logged and the default kept: importing pyusdt
 * never fails because of a setting. control.h changes them later.
 */
#ifndef PYUSDT_CONTROL_SETTINGS_H
#define PYUSDT_CONTROL_SETTINGS_H

#include <stdint.h>

#include "pyusdt_control.h"

enum { CHECK_MSEC_MIN = 1, CHECK_MSEC_MAX = 10000, CHECK_MSEC_DEFAULT = 100 };
enum { SLOW_USEC_DEFAULT = 10000 };
#define SLOW_USEC_MAX 1000000000000u /* 11 days: nanoseconds and ticks stay far from overflow */
#define LARGE_BYTES_DEFAULT ((uint32_t)1 << 20)

/* Always valid, as settings_check() defines it. Written under the GIL and control.c's lock; read
 * under either. */
extern struct pyusdt_settings settings;

/* PYUSDT_SAMPLE_MSEC: how often the sampler looks; 0: never. Written by settings_init(). */
enum { SAMPLE_MSEC_MAX = 10000, SAMPLE_MSEC_DEFAULT = 5 };
extern uint32_t settings_sample_msec;

/* Replace the settings by `wanted`, which is valid, and pass on those that lower layers read. GIL
 * held. */
void settings_set(const struct pyusdt_settings *wanted);

/* Read the environment: PYUSDT_CHECK_MSEC and so on, named after the settings. Never fails. */
void settings_init(void);

/* 0, or -1 if a setting is not valid: `why` is then a sentence that names it. Any thread. `wanted`
 * may be any bytes. */
int settings_check(const struct pyusdt_settings *wanted, char why[PYUSDT_MESSAGE_SIZE]);

#endif
