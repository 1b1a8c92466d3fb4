/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a struct of settings, and any texts in the environment: "NUMBER \0 TEXT" sets the
 * variable of that number. The settings in effect must always be valid.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <unistd.h>

#include "../../src/control/settings.c"
#include "../../src/base/filter.c"

static bool s_said;
bool log_verbose;         /* log.c's */
enum text_mode text_mode; /* text.c's */

/* Instead of log.c: every message must fit one line. */
void log_line(const char *format, ...) {
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    FUZZ_CHECK(vsnprintf(text, sizeof text, format, arguments) < 500);
    va_end(arguments);
    s_said = true;
}

/* Valid as the comments of the fields in pyusdt_control.h define it. */
static void check_good(const struct pyusdt_settings *s) {
    FUZZ_CHECK(s->check_msec >= 1 && s->check_msec <= 10000);
    FUZZ_CHECK(s->values <= PYUSDT_VALUES_OFF && s->verbose <= 1);
    FUZZ_CHECK(s->large_bytes >= 1);
    FUZZ_CHECK(s->slow_usec <= SLOW_USEC_MAX || s->slow_usec == PYUSDT_SLOW_OFF);
    FUZZ_CHECK(memchr(s->only, '\0', sizeof s->only));
    FUZZ_CHECK(memchr(s->exclude, '\0', sizeof s->exclude));
    filter_rejects(s->only, s->exclude, "module", "qualname");
}

/* Overlay bytes on valid settings, so that a single field may be invalid. */
static void check_any(const uint8_t *data, size_t size) {
    struct pyusdt_settings *wanted = malloc(sizeof *wanted);
    char why[PYUSDT_MESSAGE_SIZE];
    size_t at = 0;

    *wanted = settings;
    if (size >= 2) {
        at = (data[0] << 8 | data[1]) % sizeof *wanted;
        data += 2;
        size -= 2;
    }
    memcpy((char *)wanted + at, data, size < sizeof *wanted - at ? size : sizeof *wanted - at);
    memset(why, 'x', sizeof why);
    if (settings_check(wanted, why) == 0)
        check_good(wanted);
    else
        FUZZ_CHECK(memchr(why, '\0', sizeof why));
    free(wanted);
}

static void set_any(const uint8_t *data, size_t size) {
    const struct pyusdt_settings defaults = settings;
    char *strings[2];
    const char *name;

    fuzz_split(data, size, strings, 2);
    name =
        s_variables[(unsigned char)*strings[0] % (sizeof s_variables / sizeof *s_variables)].name;
    setenv(name, strings[1], 1);
    s_said = false;
    settings_init();
    check_good(&settings);
    FUZZ_CHECK(!s_said || memcmp(&settings, &defaults, sizeof defaults) == 0);
    unsetenv(name);
    settings = defaults;
    fuzz_free(strings, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_any(data, size);
    set_any(data, size);
    return 0;
}
