/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts by line, computed by hand. The code 'a' lies on the lines 10 to 19, 'b' on 20 to 29, and
 * so on; each has the address of its record as its key.
 */
#include "calltree_under_test.h"

static struct calltree_budget s_budget = {
    .contexts = PLENTY, .functions = PLENTY, .histograms = PLENTY, .lines = PLENTY};

static void make_lined_codes(void) {
    make_codes();
    for (int i = 0; i < CODES; i++) {
        s_codes[i].lined = true;
        s_codes[i].first_line = 10 * (i + 1);
        s_codes[i].n_lines = 10;
    }
}

static struct code_record *code(char name) {
    return &s_codes[name - 'a'];
}

static void enter(struct calltree *t, char name, uint64_t now) {
    tree_enter(t, code(name), code(name), now, CALLTREE_START);
}

static void leave(struct calltree *t, char name, uint64_t now) {
    CHECK(tree_exit(t, code(name), now, CALLTREE_RETURN));
}

static void line(struct calltree *t, char name, int32_t number, uint64_t now) {
    CHECK(tree_line(t, code(name), number, now));
}

struct text {
    char of[2000], *end;
};

static int print(const struct calltree_line *l, void *arg) {
    struct text *text = arg;

    text->end += sprintf(text->end, "%s%d %d/%d %d %d\n", l->code->qualname, l->line, (int)l->hits,
                         (int)l->errors, (int)l->total, (int)l->self);
    return 0;
}

static void check_text(const char *found, const char *expected) {
    if (strcmp(found, expected) != 0)
        fprintf(stderr, "found:\n%sexpected:\n%s", found, expected);
    CHECK(strcmp(found, expected) == 0);
}

/* One line each: function and line, hits/errors, total, self; the newest function first. */
static void check_lines(struct calltree *t, const char *expected) {
    struct text text = {.end = text.of};

    text.of[0] = '\0';
    CHECK_EQUAL(calltree_walk_lines(t, print, &text), 0);
    check_text(text.of, expected);
}

static void check_open(struct calltree *t, uint64_t now, const char *expected) {
    struct text text = {.end = text.of};

    text.of[0] = '\0';
    CHECK_EQUAL(calltree_walk_open_lines(t, now, print, &text), 0);
    check_text(text.of, expected);
}

static struct calltree *new_tree(void) {
    struct calltree *t = calltree_new(&s_budget, 0);

    CHECK(t != NULL);
    return t;
}

static void check_unlined(struct calltree *t, uint64_t n) {
    struct calltree_losses losses;

    calltree_losses(t, &losses);
    CHECK_EQUAL(losses.unlined, n);
}

static void a_line_lasts_until_the_next_or_the_end(void) {
    struct calltree *t = new_tree();

    enter(t, 'a', 10);
    line(t, 'a', 10, 20);
    line(t, 'a', 12, 50);
    enter(t, 'b', 60);
    line(t, 'b', 20, 61);
    leave(t, 'b', 100);
    line(t, 'a', 10, 110);
    leave(t, 'a', 115);
    check_lines(t, "b20 1/0 39 39\na10 2/0 35 35\na12 1/0 60 20\n");
    calltree_free(t);
}

static void begin_at(struct calltree *t, char name, int32_t number) {
    CHECK(tree_is_at_first_line(t, code(name)));
    tree_first_line(t, number);
    CHECK(!tree_is_at_first_line(t, code(name)));
}

/* Known of calls, while their code has LINE. */
static void a_first_line_begins_as_its_call(void) {
    struct calltree *t = new_tree();

    enter(t, 'a', 5); /* LINE is enabled later: nobody knows what it did until then */
    code('a')->local = code('b')->local = true;
    CHECK(!tree_is_at_first_line(t, code('a')));
    line(t, 'a', 10, 9);
    for (uint64_t now = 10; now <= 60; now += 50) { /* the first time makes the table */
        enter(t, 'b', now);
        CHECK(!tree_is_at_first_line(t, code('a')));
        begin_at(t, 'b', 20);
        enter(t, 'b', now + 10); /* within itself */
        begin_at(t, 'b', 20);
        line(t, 'b', 21, now + 13);
        leave(t, 'b', now + 15);
        line(t, 'b', 22, now + 20);
        leave(t, 'b', now + 30);
    }
    tree_enter(t, code('b'), code('b'), 200, CALLTREE_RESUME);
    CHECK(!tree_is_at_first_line(t, code('b')));
    leave(t, 'b', 201);
    enter(t, 'b', 300); /* a signal's handler runs first */
    enter(t, 'a', 302);
    leave(t, 'a', 304);
    CHECK(!tree_is_at_first_line(t, code('b')));
    code('a')->local = code('b')->local = false;
    check_lines(t, "b20 4/0 40 36\nb21 2/0 4 4\nb22 2/0 20 20\na10 1/0 0 0\n");
    calltree_free(t);
}

static void a_recursive_line_counts_its_ticks_once(void) {
    struct calltree *t = new_tree();

    enter(t, 'a', 10);
    line(t, 'a', 11, 10);
    enter(t, 'a', 20); /* the second call is at line 11 too, and then at 12 */
    line(t, 'a', 11, 20);
    enter(t, 'a', 30); /* the third at 12 alone, and 13 */
    line(t, 'a', 12, 30);
    line(t, 'a', 13, 35);
    check_open(t, 37, "a13 0/0 2 2\na11 0/0 0 10\na11 0/0 27 10\n");
    check_open(t, 37, "a13 0/0 2 2\na11 0/0 0 10\na11 0/0 27 10\n");
    leave(t, 'a', 40);
    line(t, 'a', 12, 60);
    leave(t, 'a', 70);
    leave(t, 'a', 100);
    check_lines(t, "a11 2/0 90 70\na12 2/0 15 15\na13 1/0 5 5\n");
    calltree_free(t);
}

static void a_suspended_line_goes_on_without_a_hit(void) {
    struct calltree *t = new_tree();
    struct calltree_done done;

    enter(t, 'a', 10);
    line(t, 'a', 11, 10);
    CHECK_EQUAL(calltree_exit(t, code('a'), 15, CALLTREE_YIELD, &done), 1);
    calltree_enter(t, code('a'), 1000, CALLTREE_RESUME);
    calltree_line(t, code('a'), code('a'), 11, 1000, true);
    line(t, 'a', 12, 1003);
    leave(t, 'a', 1010);
    check_lines(t, "a11 1/0 8 8\na12 1/0 7 7\n");
    calltree_free(t);
}

static void errors_are_those_of_the_line(void) {
    struct calltree *t = new_tree();

    enter(t, 'a', 10);
    CHECK(!tree_error(t, code('a'))); /* it has no line yet */
    line(t, 'a', 11, 10);
    enter(t, 'b', 20);
    CHECK(!tree_error(t, code('a')));
    line(t, 'b', 21, 20);
    CHECK(tree_error(t, code('b')));
    leave(t, 'b', 30);
    CHECK(tree_error(t, code('a')));
    calltree_error(t, code('a'), code('a'), 30);
    calltree_error(t, code('c'), code('c'), 30);
    leave(t, 'a', 30);
    check_lines(t, "b21 1/1 10 10\na11 1/2 20 10\n");
    calltree_free(t);
}

static void the_node_has_the_line_of_its_newest_call(void) {
    struct calltree *t = new_tree();
    const struct pyusdt_node *node;

    enter(t, 'a', 10);
    node = atomic_load(&t->current);
    CHECK_EQUAL(node->current_line, 0);
    line(t, 'a', 11, 10);
    CHECK_EQUAL(node->current_line, 11);
    enter(t, 'b', 20);
    CHECK_EQUAL(atomic_load(&t->current)->current_line, 0);
    leave(t, 'b', 30);
    CHECK(atomic_load(&t->current) == node && node->current_line == 11);
    leave(t, 'a', 30);
    CHECK_EQUAL(node->current_line, 0);
    calltree_free(t);
}

/* Deep inside, calls share a context. */
static void a_folded_call_gives_the_line_back(void) {
    struct calltree *t = new_tree();
    const struct pyusdt_node *node;

    for (uint64_t i = 0; i < 20; i++) {
        enter(t, 'a', i + 1);
        line(t, 'a', 11, i + 1);
    }
    node = atomic_load(&t->current);
    enter(t, 'a', 30);
    CHECK(atomic_load(&t->current) == node && node->current_line == 0);
    line(t, 'a', 12, 31);
    CHECK_EQUAL(node->current_line, 12);
    leave(t, 'a', 40);
    CHECK_EQUAL(node->current_line, 11);
    for (int i = 0; i < 20; i++)
        leave(t, 'a', 50);
    check_lines(t, "a11 20/0 49 39\na12 1/0 9 9\n");
    calltree_free(t);
}

/* An end that Python did not report shows at the caller's next line. */
static void a_line_below_the_top_heals(void) {
    struct calltree *t = new_tree();
    struct calltree_losses losses;

    enter(t, 'a', 10);
    line(t, 'a', 11, 10);
    enter(t, 'b', 20);
    line(t, 'b', 21, 20);
    CHECK(!tree_line(t, code('a'), 12, 30));
    calltree_line(t, code('c'), code('c'), 31, 30, false);
    CHECK_EQUAL(calltree_depth(t), 2);
    calltree_line(t, code('a'), code('a'), 12, 30, false);
    CHECK_EQUAL(calltree_depth(t), 1);
    leave(t, 'a', 40);
    check_lines(t, "b21 1/0 10 10\na11 1/0 20 10\na12 1/0 10 10\n");
    calltree_losses(t, &losses);
    CHECK_EQUAL(losses.healed, 1);
    CHECK_EQUAL(losses.unknown, 0);
    calltree_free(t);
}

/* Code objects that share a record may lie between other lines. */
static void tables_are_extended(void) {
    struct calltree *t = new_tree();
    struct code_record *c = code('a');

    enter(t, 'a', 1);
    line(t, 'a', 15, 1);
    line(t, 'a', 99, 2); /* no line of it: lost */
    check_unlined(t, 1);
    c->first_line = 2;
    c->n_lines = 98;
    line(t, 'a', 99, 3);
    line(t, 'a', 3, 4);
    line(t, 'a', 15, 5);
    line(t, 'a', 40, 6);
    leave(t, 'a', 7);
    check_lines(t, "a15 2/0 2 2\na40 1/0 1 1\na99 1/0 1 1\na3 1/0 1 1\n");
    check_unlined(t, 1);
    calltree_free(t);
    make_lined_codes();
}

static void without_memory_lines_are_lost_and_counted(void) {
    struct calltree *t;

    for (int allocations = 0; allocations < 2; allocations++) {
        t = new_tree();
        enter(t, 'a', 10);
        if (allocations)
            s_calls_left = 0;
        else
            atomic_store(&s_budget.lines, 64);
        line(t, 'a', 11, 10);
        CHECK_EQUAL(atomic_load(&t->current)->current_line, 0);
        line(t, 'a', 12, 20);
        leave(t, 'a', 30);
        s_calls_left = -1;
        check_lines(t, "");
        check_unlined(t, 2);
        if (!allocations)
            atomic_store(&s_budget.lines, PLENTY);
        calltree_free(t);
    }
}

static void absurd_spans_and_unlined_codes_get_no_table(void) {
    struct calltree *t = new_tree();

    code('a')->first_line = 1;
    code('a')->n_lines = INT32_MAX;
    code('b')->lined = false;
    enter(t, 'a', 10);
    line(t, 'a', 11, 10);
    enter(t, 'b', 20);
    line(t, 'b', 21, 20);
    leave(t, 'b', 30);
    leave(t, 'a', 40);
    check_lines(t, "");
    calltree_free(t);
    make_lined_codes();
}

static void a_reset_forgets_the_counts_and_keeps_the_rows(void) {
    struct calltree *t = new_tree();
    int64_t left;

    enter(t, 'a', 10);
    line(t, 'a', 11, 10);
    enter(t, 'a', 20);
    line(t, 'a', 11, 20);
    left = atomic_load(&s_budget.lines);
    calltree_reset(t);
    check_lines(t, "");
    enter(t, 'a', 30);
    line(t, 'a', 11, 30);
    leave(t, 'a', 40);
    check_lines(t, "a11 1/0 10 10\n");
    CHECK_EQUAL(atomic_load(&s_budget.lines), left);
    calltree_free(t);
}

static void a_restart_ends_and_begins_the_lines(void) {
    struct calltree *t = new_tree();

    enter(t, 'a', 10);
    line(t, 'a', 11, 10);
    enter(t, 'b', 20);
    line(t, 'b', 21, 20);
    calltree_restart(t, 50, 0);
    line(t, 'b', 22, 0);
    CHECK(tree_exit_untimed(t, code('b'), CALLTREE_RETURN));
    calltree_restart(t, 900, 100);
    leave(t, 'a', 105);
    check_lines(t, "b21 1/0 30 30\nb22 1/0 0 0\na11 1/0 45 15\n");
    calltree_free(t);
}

int main(void) {
    static const struct test tests[] = {
        TEST(a_line_lasts_until_the_next_or_the_end),
        TEST(a_first_line_begins_as_its_call),
        TEST(a_recursive_line_counts_its_ticks_once),
        TEST(a_suspended_line_goes_on_without_a_hit),
        TEST(errors_are_those_of_the_line),
        TEST(the_node_has_the_line_of_its_newest_call),
        TEST(a_folded_call_gives_the_line_back),
        TEST(a_line_below_the_top_heals),
        TEST(tables_are_extended),
        TEST(without_memory_lines_are_lost_and_counted),
        TEST(absurd_spans_and_unlined_codes_get_no_table),
        TEST(a_reset_forgets_the_counts_and_keeps_the_rows),
        TEST(a_restart_ends_and_begins_the_lines),
    };
    int ret;

    make_lined_codes();
    ret = run_tests(tests, sizeof(tests) / sizeof(tests[0]));
    CHECK_EQUAL(atomic_load(&s_budget.lines), PLENTY);
    CHECK_EQUAL(s_live, 0);
    return ret;
}
