/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "../../src/base/filter.c"

static bool accepts(const char *only, const char *exclude, const char *module,
                    const char *qualname) {
    char why[PYUSDT_MESSAGE_SIZE] = "";

    CHECK_EQUAL(filter_check(only, why, sizeof why), 0);
    CHECK_EQUAL(filter_check(exclude, why, sizeof why), 0);
    CHECK(!*why);
    return !filter_rejects(only, exclude, module, qualname);
}

static void no_patterns_accept_everything(void) {
    CHECK(accepts("", "", "myapp", "f"));
    CHECK(accepts("", "", "", ""));
    CHECK(accepts("*", "", "", "f"));
}

static void a_module_covers_what_is_below(void) {
    CHECK(accepts("myapp", "", "myapp", "f"));
    CHECK(accepts("myapp", "", "myapp.views", "Shop.total"));
    CHECK(accepts("myapp", "", "myapp.views.deep", "f"));
    CHECK(!accepts("myapp", "", "myapplication", "f"));
    CHECK(!accepts("myapp", "", "my", "app"));
    CHECK(!accepts("myapp", "", "other.myapp", "f"));
    CHECK(!accepts("myapp.views", "", "myapp", "views"));
    CHECK(!accepts("myapp", "", "", "f"));
    CHECK(accepts("my*", "", "myapplication.x", "f"));
    CHECK(accepts("*.views", "", "myapp.views.deep", "f"));
    CHECK(!accepts("*.views", "", "views", "f"));
    CHECK(accepts("my???", "", "myapp.x", "f"));
    CHECK(!accepts("my??", "", "myapp.x", "f"));
}

static void a_colon_names_functions(void) {
    CHECK(accepts("myapp:main", "", "myapp", "main"));
    CHECK(!accepts("myapp:main", "", "myapp.x", "main"));
    CHECK(!accepts("myapp:main", "", "myapp", "main.inner"));
    CHECK(accepts("myapp*:main*", "", "myapp.x", "main.<locals>.inner"));
    CHECK(accepts("*:Shop.*", "", "a.b", "Shop.total"));
    CHECK(accepts(":f", "", "", "f"));
    CHECK(accepts("myapp:", "", "myapp", ""));
    CHECK(!accepts("myapp:", "", "myapp", "f"));
}

static void exclude_wins(void) {
    CHECK(!accepts("myapp", "myapp.noise", "myapp.noise", "f"));
    CHECK(accepts("myapp", "myapp.noise", "myapp.views", "f"));
    CHECK(!accepts("", "*:__repr__", "myapp", "__repr__"));
    CHECK(!accepts("myapp", "*", "myapp", "f"));
}

static void any_pattern_of_a_list_will_do(void) {
    CHECK(accepts("a, b,c:f", "", "b.x", "g"));
    CHECK(accepts(" a ,b", "", "a", "g"));
    CHECK(accepts("a,b,c:f", "", "c", "f"));
    CHECK(!accepts("a,b,c:f", "", "c", "g"));
}

static void a_question_mark_is_one_character(void) {
    CHECK(accepts("m:gr??e", "", "m", "größe"));
    CHECK(!accepts("m:gr???e", "", "m", "größe"));
    CHECK(accepts("m:*?", "", "m", "€"));
    CHECK(!accepts("m:*??", "", "m", "€"));
    CHECK(!accepts("m:?", "", "m", ""));
}

static void bad_lists_are_named(void) {
    static char longest[PYUSDT_FILTER_SIZE + 1];
    static const struct {
        const char *patterns, *why;
    } cases[] = {
        {",", "has an empty pattern"},
        {" ", "has an empty pattern"},
        {"a,,b", "has an empty pattern"},
        {"a,", "has an empty pattern"},
        {"ok,my app", "has a space or control character in 'my app': put a comma between patterns"},
        {"a\nb", "has a space or control character in 'a\nb': put a comma between patterns"},
        {"a:b:c", "has more than one colon in 'a:b:c': a pattern is module or module:qualname"},
        {longest, "is longer than 1023 bytes"},
    };

    memset(longest, 'x', PYUSDT_FILTER_SIZE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[PYUSDT_MESSAGE_SIZE], tiny[4];
        CHECK_EQUAL(filter_check(cases[i].patterns, why, sizeof why), -1);
        CHECK(!strcmp(why, cases[i].why));
        CHECK_EQUAL(filter_check(cases[i].patterns, tiny, sizeof tiny), -1);
    }
    longest[PYUSDT_FILTER_SIZE - 1] = '\0';
    CHECK(!accepts(longest, "", "m", ""));
}

static void the_worst_pattern_ends_soon(void) {
    static char stars[PYUSDT_FILTER_SIZE], name[PYUSDT_FILTER_SIZE];

    for (size_t i = 0; i < sizeof stars - 2; i += 2)
        memcpy(stars + i, "*a", 2);
    stars[sizeof stars - 2] = 'b';
    memset(name, 'a', sizeof name - 1);
    CHECK(!accepts(stars, "", name, ""));
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
        TEST(no_patterns_accept_everything), TEST(a_module_covers_what_is_below),
        TEST(a_colon_names_functions),       TEST(exclude_wins),
        TEST(any_pattern_of_a_list_will_do), TEST(a_question_mark_is_one_character),
        TEST(bad_lists_are_named),           TEST(the_worst_pattern_ends_soon),
        TEST(it_agrees_with_the_definition),
    };
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
