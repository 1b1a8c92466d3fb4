/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <libgen.h>

#include "../../src/base/filter.c"

static bool wanted(const char *only, const char *exclude, const char *module,
                   const char *qualname) {
    char why[PYUSDT_MESSAGE_SIZE] = "";

    CHECK_EQUAL(filter_check(only, why, sizeof why), 0);
    CHECK_EQUAL(filter_check(exclude, why, sizeof why), 0);
    CHECK(!*why);
    return !filter_rejects(only, exclude, module, qualname);
}

static void check_bad(const char *patterns, const char *expected) {
    char why[PYUSDT_MESSAGE_SIZE], tiny[4];

    CHECK_EQUAL(filter_check(patterns, why, sizeof why), -1);
    CHECK(!strcmp(why, expected));
    CHECK_EQUAL(filter_check(patterns, tiny, sizeof tiny), -1);
}

/* Splits `line` at its quotes; the number of texts between them. */
static int quoted(char *line, char *texts[4]) {
    int n = 0;

    for (char *at = strchr(line, '"'); at && n < 4; at = strchr(at + 1, '"')) {
        texts[n++] = at + 1;
        at = strchr(at + 1, '"');
        CHECK(at);
        *at = '\0';
    }
    return n;
}

/* tests/patterns.txt has the cases, which pyusdt/patterns.py is checked with too. */
static void the_table(void) {
    char place[] = __FILE__, path[4096], line[512], *texts[4];
    unsigned n_yes = 0, n_no = 0, n_bad = 0;
    FILE *table;

    snprintf(path, sizeof path, "%s/../patterns.txt", dirname(place));
    table = fopen(path, "r");
    CHECK(table);
    while (fgets(line, sizeof line, table)) {
        bool bad = !strncmp(line, "bad", 3), yes = !strncmp(line, "yes", 3);

        if (*line == '#' || *line == '\n')
            continue;
        fputs(line, stdout);
        CHECK_EQUAL(quoted(line, texts), bad ? 2 : 4);
        if (bad)
            check_bad(texts[0], texts[1]);
        else
            CHECK_EQUAL(wanted(texts[0], texts[1], texts[2], texts[3]), yes);
        *(bad ? &n_bad : yes ? &n_yes : &n_no) += 1;
    }
    fclose(table);
    CHECK(n_yes > 20 && n_no > 20 && n_bad > 5);
}

static void a_list_has_a_largest_size(void) {
    static char longest[PYUSDT_FILTER_SIZE + 1];

    memset(longest, 'x', PYUSDT_FILTER_SIZE);
    check_bad(longest, "is longer than 1023 bytes");
    longest[PYUSDT_FILTER_SIZE - 1] = '\0';
    CHECK(!wanted(longest, "", "m", ""));
}

static void the_worst_pattern_ends_soon(void) {
    static char stars[PYUSDT_FILTER_SIZE], name[PYUSDT_FILTER_SIZE];

    for (size_t i = 0; i < sizeof stars - 2; i += 2)
        memcpy(stars + i, "*a", 2);
    stars[sizeof stars - 2] = 'b';
    memset(name, 'a', sizeof name - 1);
    CHECK(!wanted(stars, "", name, ""));
}

/* The same by the definition, in no hurry: every * is tried with every length. ASCII only. */
static bool naive_glob(const char *p, const char *p_end, const char *s, const char *s_end) {
    if (p == p_end)
        return s == s_end;
    if (*p == '*')
        return naive_glob(p + 1, p_end, s, s_end) ||
               (s < s_end && naive_glob(p, p_end, s + 1, s_end));
    return s < s_end && (*p == '?' || *p == *s) && naive_glob(p + 1, p_end, s + 1, s_end);
}

static bool naive_matches(const char *p, const char *p_end, const char *module,
                          const char *qualname) {
    const char *colon = memchr(p, ':', (size_t)(p_end - p));
    const char *end = module + strlen(module);

    if (colon)
        return naive_glob(p, colon, module, end) &&
               naive_glob(colon + 1, p_end, qualname, qualname + strlen(qualname));
    for (const char *s = module; s <= end; s++)
        if ((s == end || *s == '.') && naive_glob(p, p_end, module, s))
            return true;
    return false;
}

static bool naive_list(const char *list, const char *module, const char *qualname) {
    const char *end;

    for (; *list; list = *end ? end + 1 : end) {
        end = list + strcspn(list, ",");
        if (naive_matches(list, end, module, qualname))
            return true;
    }
    return false;
}

/* At most `longest` characters out of `alphabet`. */
static void random_text(uint64_t *state, const char *alphabet, size_t longest, char *text) {
    size_t length = next_random(state) % (longest + 1);

    for (size_t i = 0; i < length; i++)
        text[i] = alphabet[next_random(state) % strlen(alphabet)];
    text[length] = '\0';
}

static void it_agrees_with_the_definition(void) {
    uint64_t state = 88172645463325252u;
    unsigned good = 0, rejected = 0;

    for (unsigned i = 0; i < turns(400000); i++) {
        char only[16], exclude[16], module[12], qualname[12], why[PYUSDT_MESSAGE_SIZE];
        bool expected;

        random_text(&state, "ab.*?:,", 10, only);
        random_text(&state, "ab.*?:,", 5, exclude);
        random_text(&state, "ab.", 8, module);
        random_text(&state, "ab.", 6, qualname);
        if (filter_check(only, why, sizeof why) < 0 || filter_check(exclude, why, sizeof why) < 0)
            continue;
        expected =
            (*only && !naive_list(only, module, qualname)) || naive_list(exclude, module, qualname);
        if (filter_rejects(only, exclude, module, qualname) != expected) {
            fprintf(stderr, "only '%s' exclude '%s' of '%s:%s'\n", only, exclude, module, qualname);
            exit(1);
        }
        good++;
        rejected += expected;
    }
    /* Neither answer is rare, so the agreement means something. */
    CHECK(rejected > good / 10 && rejected < good - good / 10);
}

int main(void) {
    static const struct test tests[] = {
        TEST(the_table),
        TEST(a_list_has_a_largest_size),
        TEST(the_worst_pattern_ends_soon),
        TEST(it_agrees_with_the_definition),
    };
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
