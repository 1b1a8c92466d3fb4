/* SPDX-License-Identifier: Apache-2.0 */
#include "base/filter.h"

#include <stdio.h>
#include <string.h>

#include "pyusdt_control.h"

struct span {
    const char *begin, *end;
};

/* The next pattern of the list at `*at`, without the spaces around it. `*at` moves to the comma
 * after it, or to the end. */
static struct span next_pattern(const char **at) {
    size_t length = strcspn(*at, ",");
    struct span pattern = {*at, *at + length};

    *at += length;
    while (pattern.begin < pattern.end && *pattern.begin == ' ')
        pattern.begin++;
    while (pattern.begin < pattern.end && pattern.end[-1] == ' ')
        pattern.end--;
    return pattern;
}

static const char *find(struct span span, char c) {
    return memchr(span.begin, c, (size_t)(span.end - span.begin));
}

static int check_pattern(struct span p, char *why, size_t size) {
    int shown = (int)(p.end - p.begin < 60 ? p.end - p.begin : 60);
    const char *colon = find(p, ':');

    for (const char *c = p.begin; c < p.end; c++) {
        if ((unsigned char)*c > ' ' && *c != 0x7f)
            continue;
        snprintf(why, size,
                 "has a space or control character in '%.*s': put a comma between "
                 "patterns",
                 shown, p.begin);
        return -1;
    }
    if (p.begin == p.end) {
        snprintf(why, size, "has an empty pattern");
        return -1;
    }
    if (colon && find((struct span){colon + 1, p.end}, ':')) {
        snprintf(why, size,
                 "has more than one colon in '%.*s': a pattern is module or "
                 "module:qualname",
                 shown, p.begin);
        return -1;
    }
    return 0;
}

int filter_check(const char *patterns, char *why, size_t size) {
    if (strlen(patterns) >= PYUSDT_FILTER_SIZE) {
        snprintf(why, size, "is longer than %d bytes", PYUSDT_FILTER_SIZE - 1);
        return -1;
    }
    if (!*patterns)
        return 0;
    for (const char *at = patterns;; at++) {
        if (check_pattern(next_pattern(&at), why, size) < 0)
            return -1;
        if (!*at)
            return 0;
    }
}

/* Skip one character of UTF-8. */
static const char *next_character(const char *s) {
    do
        s++;
    while ((*s & 0xC0) == 0x80);
    return s;
}

/* Whether the glob matches all of `s` or, with `below`, `s` up to any of its dots. On a mismatch
 * the last * takes one more character; earlier ones never need to. */
static bool glob_matches(struct span glob, const char *s, bool below) {
    const char *p = glob.begin, *star = NULL, *star_s = NULL;

    for (;;) {
        if (p < glob.end && *p == '*') {
            star = p++;
            star_s = s;
        } else if (p == glob.end && (!*s || (below && *s == '.'))) {
            return true;
        } else if (p < glob.end && *s && (*p == *s || *p == '?')) {
            s = *p == '?' ? next_character(s) : s + 1;
            p++;
        } else if (star && *star_s) {
            s = star_s = next_character(star_s);
            p = star + 1;
        } else {
            return false;
        }
    }
}

static bool pattern_matches(struct span p, const char *module, const char *qualname) {
    const char *colon = find(p, ':');

    if (!colon)
        return glob_matches(p, module, true);
    return glob_matches((struct span){p.begin, colon}, module, false) &&
           glob_matches((struct span){colon + 1, p.end}, qualname, false);
}

static bool any_matches(const char *patterns, const char *module, const char *qualname) {
    for (const char *at = patterns; *at; at += *at == ',')
        if (pattern_matches(next_pattern(&at), module, qualname))
            return true;
    return false;
}

bool filter_rejects(const char *only, const char *exclude, const char *module,
                    const char *qualname) {
    return (*only && !any_matches(only, module, qualname)) ||
           any_matches(exclude, module, qualname);
}
