/* SPDX-License-Identifier: Apache-2.0 */
#include "control/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/filter.h"
#include "base/log.h"
#include "python/text.h"

_Static_assert((int)TEXT_SAFE == PYUSDT_VALUES_SAFE && (int)TEXT_REPR == PYUSDT_VALUES_REPR &&
                   (int)TEXT_OFF == PYUSDT_VALUES_OFF,
               "the setting is passed on as it is");

struct pyusdt_settings settings = {
    .check_msec = CHECK_MSEC_DEFAULT,
    .values = PYUSDT_VALUES_SAFE,
    .slow_usec = SLOW_USEC_DEFAULT,
    .large_bytes = LARGE_BYTES_DEFAULT,
};

uint32_t settings_sample_msec = SAMPLE_MSEC_DEFAULT;

/* Format the reason, and return -1. */
PRINTF_LIKE(2, 3) static int bad(char why[PYUSDT_MESSAGE_SIZE], const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, PYUSDT_MESSAGE_SIZE, format, arguments);
    va_end(arguments);
    return -1;
}

static int check_filter(const char *name, const char *patterns, char why[PYUSDT_MESSAGE_SIZE]) {
    char what[PYUSDT_MESSAGE_SIZE - 16];

    if (!memchr(patterns, '\0', PYUSDT_FILTER_SIZE))
        return bad(why, "%s is longer than %d bytes", name, PYUSDT_FILTER_SIZE - 1);
    return filter_check(patterns, what, sizeof what) < 0 ? bad(why, "%s %s", name, what) : 0;
}

int settings_check(const struct pyusdt_settings *wanted, char why[PYUSDT_MESSAGE_SIZE]) {
    if (wanted->check_msec < CHECK_MSEC_MIN || wanted->check_msec > CHECK_MSEC_MAX)
        return bad(why, "check_msec is not a number from %d to %d", CHECK_MSEC_MIN, CHECK_MSEC_MAX);
    if (wanted->values > PYUSDT_VALUES_OFF)
        return bad(why, "values is none of safe, repr, off");
    if (wanted->slow_usec > SLOW_USEC_MAX && wanted->slow_usec != PYUSDT_SLOW_OFF)
        return bad(why, "slow_usec is neither off nor a number of microseconds up to %llu",
                   (unsigned long long)SLOW_USEC_MAX);
    if (!wanted->large_bytes)
        return bad(why, "large_bytes is not a number of bytes from 1 to %lu",
                   (unsigned long)UINT32_MAX);
    if (wanted->verbose > 1)
        return bad(why, "verbose is neither 0 nor 1");
    if (check_filter("only", wanted->only, why) < 0)
        return -1;
    return check_filter("exclude", wanted->exclude, why);
}

void settings_set(const struct pyusdt_settings *wanted) {
    settings = *wanted;
    text_mode = (enum text_mode)wanted->values;
    log_verbose = wanted->verbose;
}

/* A text that cannot be parsed becomes an invalid value, which settings_check() refuses. */

static uint64_t read_number(const char *text) {
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 10);
    return errno || end == text || *end || *text == '-' ? UINT64_MAX - 1 : number;
}

static uint32_t read_small(const char *text) {
    uint64_t number = read_number(text);

    return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static void read_check_msec(const char *text, struct pyusdt_settings *into) {
    into->check_msec = read_small(text);
}

static void read_slow_usec(const char *text, struct pyusdt_settings *into) {
    into->slow_usec = strcmp(text, "off") ? read_number(text) : PYUSDT_SLOW_OFF;
}

/* A number of bytes, or of larger units: 64KiB, 1MB. */
static void read_large_bytes(const char *text, struct pyusdt_settings *into) {
    static const struct {
        const char *name;
        uint32_t bytes;
    } units[] = {{"", 1},      {"B", 1},     {"KiB", 1 << 10}, {"MiB", 1 << 20},  {"GiB", 1 << 30},
                 {"kB", 1000}, {"KB", 1000}, {"MB", 1000000},  {"GB", 1000000000}};
    size_t digits = strspn(text, "0123456789"), i = 0, n = sizeof units / sizeof *units;
    uint64_t number = digits && digits <= 10 ? strtoull(text, NULL, 10) : 0;

    while (i < n && strcmp(text + digits, units[i].name) != 0)
        i++;
    number *= i < n ? units[i].bytes : 0;
    into->large_bytes = number <= UINT32_MAX ? (uint32_t)number : 0;
}

static void read_values(const char *text, struct pyusdt_settings *into) {
    static const char *const names[] = {"safe", "repr", "off"};
    uint32_t i = 0;

    while (i < 3 && strcmp(text, names[i]) != 0)
        i++;
    into->values = i;
}

static void read_verbose(const char *text, struct pyusdt_settings *into) {
    into->verbose = read_small(text);
}

/* A text that is too long is copied without its NUL, and so refused. */
static void read_only(const char *text, struct pyusdt_settings *into) {
    memcpy(into->only, text, strnlen(text, PYUSDT_FILTER_SIZE - 1) + 1);
}

static void read_exclude(const char *text, struct pyusdt_settings *into) {
    memcpy(into->exclude, text, strnlen(text, PYUSDT_FILTER_SIZE - 1) + 1);
}

static const struct {
    const char *name;
    void (*read)(const char *text, struct pyusdt_settings *into);
} s_variables[] = {
    {"PYUSDT_CHECK_MSEC", read_check_msec},   {"PYUSDT_SLOW_USEC", read_slow_usec},
    {"PYUSDT_LARGE_BYTES", read_large_bytes}, {"PYUSDT_VALUES", read_values},
    {"PYUSDT_VERBOSE", read_verbose},         {"PYUSDT_ONLY", read_only},
    {"PYUSDT_EXCLUDE", read_exclude},
};

static void read_sample_msec(const char *text) {
    uint32_t msec = text && *text ? read_small(text) : SAMPLE_MSEC_DEFAULT;

    if (msec <= SAMPLE_MSEC_MAX)
        settings_sample_msec = msec;
    else
        log_line("PYUSDT_SAMPLE_MSEC=%.100s: it is not a number from 0 to %d: using the default",
                 text, SAMPLE_MSEC_MAX);
}

void settings_init(void) {
    read_sample_msec(getenv("PYUSDT_SAMPLE_MSEC"));
    for (size_t i = 0; i < sizeof s_variables / sizeof *s_variables; i++) {
        const char *text = getenv(s_variables[i].name);
        struct pyusdt_settings wanted = settings;
        char why[PYUSDT_MESSAGE_SIZE];

        if (!text || !*text)
            continue;
        s_variables[i].read(text, &wanted);
        if (settings_check(&wanted, why) < 0)
            log_line("%s=%.100s: %s: using the default", s_variables[i].name, text, why);
        else
            settings_set(&wanted);
    }
}
