/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

struct control_settings control_settings = {
    .check_msec = CHECK_MSEC_DEFAULT,
    .values = TEXT_SAFE,
    .slow_usec = SLOW_USEC_DEFAULT,
    .verbose = false,
};

static void read_check_msec(const char *value) {
    char *end;
    long msec;

    errno = 0;
    msec = strtol(value, &end, 10);
    if (errno || end == value || *end || msec < CHECK_MSEC_MIN || msec > CHECK_MSEC_MAX)
        say("PYUSDT_CHECK_MSEC=%.100s is not a number from %d to %d: %d stays", value,
            CHECK_MSEC_MIN, CHECK_MSEC_MAX, control_settings.check_msec);
    else
        control_settings.check_msec = (int)msec;
}

static void read_slow_usec(const char *value) {
    char *end;
    unsigned long long usec;

    errno = 0;
    usec = strtoull(value, &end, 10);
    if (errno || end == value || *end || *value == '-')
        say("PYUSDT_SLOW_USEC=%.100s is not a number of microseconds: %d stays", value,
            SLOW_USEC_DEFAULT);
    else
        control_settings.slow_usec = usec;
}

static void read_values(const char *value) {
    if (!strcmp(value, "safe"))
        control_settings.values = TEXT_SAFE;
    else if (!strcmp(value, "repr"))
        control_settings.values = TEXT_REPR;
    else if (!strcmp(value, "off"))
        control_settings.values = TEXT_OFF;
    else
        say("PYUSDT_VALUES=%.100s is none of safe, repr, off: safe stays", value);
}

static void read_verbose(const char *value) {
    if (!strcmp(value, "0") || !strcmp(value, "1"))
        control_settings.verbose = *value == '1';
    else
        say("PYUSDT_VERBOSE=%.100s is neither 0 nor 1: 0 stays", value);
}

static const struct {
    const char *name;
    void (*read)(const char *value);
} s_variables[] = {
    {"PYUSDT_CHECK_MSEC", read_check_msec},
    {"PYUSDT_SLOW_USEC", read_slow_usec},
    {"PYUSDT_VALUES", read_values},
    {"PYUSDT_VERBOSE", read_verbose},
};

void control_init(void) {
    for (size_t i = 0; i < sizeof s_variables / sizeof *s_variables; i++) {
        const char *value = getenv(s_variables[i].name);

        if (value && *value)
            s_variables[i].read(value);
    }
}
