/* SPDX-License-Identifier: Apache-2.0
 *
 * Any lists of patterns against any names: "ONLY \0 EXCLUDE \0 MODULE \0 QUALNAME". For ASCII names
 * the result must be that of a matcher which tries everything.
 */
#include "fuzz.h"

#include "../../src/base/filter.c"

/* Whether the glob matches all of `s` or, with `below`, `s` up to a dot. Slow and plain. */
static bool slow_matches(const char *p, const char *end, const char *s, bool below) {
    if (p == end)
        return !*s || (below && *s == '.');
    if (*p == '*')
        return slow_matches(p + 1, end, s, below) || (*s && slow_matches(p, end, s + 1, below));
    return *s && (*p == '?' || *p == *s) && slow_matches(p + 1, end, s + 1, below);
}

static bool slow_pattern(struct span p, const char *module, const char *qualname) {
    const char *colon = find(p, ':');

    if (!colon)
        return slow_matches(p.begin, p.end, module, true);
    return slow_matches(p.begin, colon, module, false) &&
           slow_matches(colon + 1, p.end, qualname, false);
}

static bool slow_any(const char *patterns, const char *module, const char *qualname) {
    bool matches = false;

    for (const char *at = patterns; *at; at += *at == ',')
        matches |= slow_pattern(next_pattern(&at), module, qualname);
    return matches;
}

static bool is_short_ascii(const char *s) {
    size_t n = strlen(s), stars = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] & 0x80)
            return false;
        stars += s[i] == '*';
    }
    return n < 20 && stars < 4;
}

static bool check(const char *patterns) {
    char why[PYUSDT_MESSAGE_SIZE];
    bool good;

    memset(why, 'x', sizeof why);
    good = filter_check(patterns, why, sizeof why) == 0;
    FUZZ_CHECK(good || memchr(why, '\0', sizeof why));
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *strings[4];
    bool plain = true;

    fuzz_split(data, size, strings, 4);
    for (int i = 0; i < 4; i++)
        plain &= is_short_ascii(strings[i]);
    if (check(strings[0]) && check(strings[1])) {
        bool rejected = filter_rejects(strings[0], strings[1], strings[2], strings[3]);

        FUZZ_CHECK(!plain ||
                   rejected == ((*strings[0] && !slow_any(strings[0], strings[2], strings[3])) ||
                                slow_any(strings[1], strings[2], strings[3])));
    }
    fuzz_free(strings, 4);
    return 0;
}
