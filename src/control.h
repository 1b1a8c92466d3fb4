/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings, read once from the environment. A bad value is reported in one line and the default
 * stays: importing pyusdt never fails because of a setting.
 */
#ifndef PYUSDT_CONTROL_H
#define PYUSDT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

enum { CHECK_MSEC_MIN = 1, CHECK_MSEC_MAX = 10000, CHECK_MSEC_DEFAULT = 100 };
enum { SLOW_USEC_DEFAULT = 10000 };

struct control_settings {
    int check_msec;        /* PYUSDT_CHECK_MSEC: how often the watcher looks */
    enum text_mode values; /* PYUSDT_VALUES: safe, repr or off */
    uint64_t slow_usec;    /* PYUSDT_SLOW_USEC: from when function__slow tells of a call */
    bool verbose;          /* PYUSDT_VERBOSE: say when events go on and off */
};
extern struct control_settings control_settings;

/* Read the environment. Never fails. */
void control_init(void);

#endif
