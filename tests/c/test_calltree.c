/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequences with hand-computed trees, and the bounds. A sequence is events separated by spaces, 10
 * ticks apart, the first at 10: an action and the name of a code. Actions: > start, ~ resume, !
 * throw, < return, ^ yield, x unwind. A tree is one line for each context that has counts, in the
 * order of appearance: path calls/resumes/errors elapsed self.
 */
#include "calltree_under_test.h"
#include "percentile.h"

static _Atomic int64_t s_budget = PLENTY;

static uint64_t play(struct calltree *t, const char *sequence, uint64_t now) {
    struct calltree_done done;
    for (const char *p = sequence; *p != '\0'; p += 2) {
        p += *p == ' ';
        struct code_record *code = &s_codes[p[1] - 'a'];
        now += 10;
        switch (*p) {
        case '>':
            calltree_enter(t, code, now, CALLTREE_START);
            break;
        case '~':
            calltree_enter(t, code, now, CALLTREE_RESUME);
            break;
        case '!':
            calltree_enter(t, code, now, CALLTREE_THROW);
            break;
        case '<':
            calltree_exit(t, code, now, CALLTREE_RETURN, &done);
            break;
        case '^':
            calltree_exit(t, code, now, CALLTREE_YIELD, &done);
            break;
        case 'x':
            calltree_exit(t, code, now, CALLTREE_UNWIND, &done);
            break;
        default:
            CHECK(!"a known action");
        }
    }
    return now;
}

static char *print_path(char *out, const struct pyusdt_node *node) {
    if (node->parent != NULL && node->parent->parent != NULL) {
        out = print_path(out, node->parent);
        *out++ = '.';
    }
    return out + sprintf(out, "%s", node->qualname);
}

static int print_sample(const struct calltree_sample *s, void *arg) {
    char **out = arg;
    if (s->calls + s->resumes + s->errors + s->elapsed + s->self == 0)
        return 0;
    *out = print_path(*out, s->node);
    *out += sprintf(*out, " %d/%d/%d %d %d\n", (int)s->calls, (int)s->resumes, (int)s->errors,
                    (int)s->elapsed, (int)s->self);
    return 0;
}

static void check_tree(struct calltree *t, const char *wanted) {
    char text[4096], *out = text;
    text[0] = '\0';
    CHECK_EQUAL(calltree_walk(t, print_sample, &out), 0);
    if (strcmp(text, wanted) != 0) {
        fprintf(stderr, "the tree is\n%swanted\n%s", text, wanted);
        exit(1);
    }
}

static void check_losses(struct calltree *t, unsigned healed, unsigned unknown) {
    struct calltree_losses losses;
    calltree_losses(t, &losses);
    CHECK_EQUAL(losses.healed, healed);
    CHECK_EQUAL(losses.unknown, unknown);
    CHECK_EQUAL(losses.lost + losses.too_deep + losses.untimed, 0);
}

struct known {
    const char *what;
    const char *sequence;
    const char *tree;
    unsigned healed, unknown;
};

static const struct known s_known[] = {
    {"calls in a call", ">m >f <f >g <g <m", "m 1/0/0 50 30\nm.f 1/0/0 10 10\nm.g 1/0/0 10 10\n", 0,
     0},
    {"the same again", ">m >f <f >f <f <m >m <m", "m 2/0/0 60 40\nm.f 2/0/0 20 20\n", 0, 0},
    {"recursion", ">f >f >f <f <f <f", "f 1/0/0 50 20\nf.f 1/0/0 30 20\nf.f.f 1/0/0 10 10\n", 0, 0},
    {"an exception through two frames", ">m >f >g xg xf <m",
     "m 1/0/0 50 20\nm.f 1/0/1 30 20\nm.f.g 1/0/1 10 10\n", 0, 0},
    {"a generator resumed by another function", ">m >g ^g >n ~g ^g <n ~g <g <m",
     "m 1/0/0 90 40\nm.g 1/1/0 20 20\nm.n 1/0/0 30 20\nm.n.g 0/1/0 10 10\n", 0, 0},
    {"3.12: close() of generator o that delegates to g", ">d >o >g ^g ^o !g xg !o xo <d",
     "d 1/0/0 90 40\nd.o 1/1/1 40 30\nd.o.g 1/0/0 10 10\nd.g 0/1/1 10 10\n", 0, 0},
    {"3.13: close() of a coroutine omits the exit of the inner one", ">e >c >a ^a ^c !c xc <e",
     "e 1/0/0 70 30\ne.c 1/1/1 40 30\ne.c.a 1/0/0 10 10\n", 0, 0},
    {"throw() into a generator that was never started", ">j !g xg <j",
     "j 1/0/0 30 20\nj.g 0/1/1 10 10\n", 0, 0},
    {"two exits are missing", ">m >g >h <m >n <n",
     "m 1/0/0 30 10\nm.g 1/0/0 20 10\nm.g.h 1/0/0 10 10\nn 1/0/0 10 10\n", 2, 0},
    {"a missing exit in a recursion closes the topmost", ">f >f >g <f <f",
     "f 1/0/0 40 20\nf.f 1/0/0 20 10\nf.f.g 1/0/0 10 10\n", 1, 0},
    {"exits of what was entered before us", "<a >m <b <m xc", "m 1/0/0 20 20\n", 0, 3},
    {"two greenlets", ">a >b >c <b <c <a", "a 1/0/0 50 30\na.b 1/0/0 20 10\na.b.c 1/0/0 10 10\n", 1,
     1},
    {"greenlets that alternate for long", ">m >a >b <a >a <b >b <a <b <m",
     "m 1/0/0 90 40\nm.a 2/0/0 50 30\nm.a.b 2/0/0 20 20\n", 2, 2},
    {NULL, NULL, NULL, 0, 0},
};

static void known_sequences(void) {
    for (const struct known *k = s_known; k->what != NULL; k++) {
        struct calltree *t = calltree_new(&s_budget, 0);
        printf("  %s\n", k->what);
        fflush(stdout);
        play(t, k->sequence, 0);
        check_tree(t, k->tree);
        check_losses(t, k->healed, k->unknown);
        CHECK_EQUAL(calltree_depth(t), 0);
        calltree_free(t);
        check_all_returned(&s_budget, PLENTY);
    }
}

static void done_has_the_segment(void) {
    struct calltree *t = calltree_new(&s_budget, 0);
    struct calltree_done done = {1, 2, 3, true};
    CHECK_EQUAL(calltree_exit(t, &s_codes[0], 5, CALLTREE_RETURN, &done), 0);
    CHECK(done.elapsed == 1 && done.self == 2 && done.depth == 3 && done.partial);
    play(t, ">m >f <f >g", 0); /* m at 10, f 20..30, g at 40 */
    CHECK_EQUAL(calltree_exit(t, &s_codes['m' - 'a'], 70, CALLTREE_RETURN, &done), 1);
    CHECK(done.elapsed == 60 && done.self == 20 && done.depth == 1 && !done.partial);
    play(t, ">m", 100);
    CHECK_EQUAL(calltree_exit(t, &s_codes['m' - 'a'], 99, CALLTREE_RETURN, &done), 1);
    CHECK(done.elapsed == 0 && done.self == 0); /* the clock went back */
    calltree_free(t);
}

static void slot_follows_the_thread(void) {
    struct calltree *t = calltree_new(&s_budget, 0);
    const struct pyusdt_node *thread = atomic_load(&t->current);
    CHECK(strcmp(thread->qualname, "(thread)") == 0 && thread->parent == NULL);
    CHECK(thread->id == PYUSDT_ID_THREAD && thread->index == 0 && thread->depth == 0);
    play(t, ">a >b", 0);
    const struct pyusdt_node *b = atomic_load(&t->current);
    CHECK(strcmp(b->qualname, "b") == 0 && strcmp(b->file, "file.py") == 0);
    CHECK(strcmp(b->module, "m") == 0 && b->id == 2 && b->line == 10 && b->depth == 2);
    CHECK(strcmp(b->parent->qualname, "a") == 0 && b->parent->parent == thread);
    play(t, "<b", 20);
    CHECK(atomic_load(&t->current) == b->parent);
    play(t, ">b", 30);
    CHECK(atomic_load(&t->current) == b);
    calltree_reset(t);
    CHECK(atomic_load(&t->current) == thread);
    calltree_free(t);
}

static void existing_stack_is_taken_over(void) {
    struct code_record *stack[] = {&s_codes['m' - 'a'], &s_codes['f' - 'a'], &s_codes['f' - 'a']};
    struct calltree_done done;
    struct calltree *t = calltree_new(&s_budget, 0);
    calltree_take_over(t, stack, 3, 100);
    CHECK_EQUAL(calltree_depth(t), 3);
    play(t, "<f >g <g", 100); /* f 100..110, g 120..130 */
    CHECK_EQUAL(calltree_exit(t, stack[1], 140, CALLTREE_RETURN, &done), 1);
    CHECK(done.partial && done.elapsed == 40 && done.self == 20 && done.depth == 2);
    play(t, "<m", 140);
    check_tree(t, "m 0/0/0 50 10\nm.f 0/0/0 40 20\nm.f.f 0/0/0 10 10\nm.f.g 1/0/0 10 10\n");
    check_losses(t, 0, 0);
    calltree_free(t);
}

static void taking_over_keeps_what_agrees(void) {
    struct code_record *stack[] = {&s_codes['m' - 'a'], &s_codes['f' - 'a'], &s_codes['h' - 'a']};
    struct calltree *t = calltree_new(&s_budget, 0);
    play(t, ">m >f >g >h", 0);
    calltree_take_over(t, stack, 3, 50);
    check_losses(t, 2, 0); /* g and h above it */
    CHECK(strcmp(atomic_load(&t->current)->parent->qualname, "f") == 0);
    play(t, "<h <f <m", 50);
    check_tree(t, "m 1/0/0 70 20\nm.f 1/0/0 50 20\nm.f.g 1/0/0 20 10\nm.f.g.h 1/0/0 10 10\n"
                  "m.f.h 0/0/0 10 10\n");
    calltree_take_over(t, stack, 3, 100);
    calltree_take_over(t, stack, 0, 110);
    CHECK_EQUAL(calltree_depth(t), 0);
    calltree_free(t);
}

static void running_segments_can_be_added(void) {
    char text[256], *out = text;
    struct calltree *t = calltree_new(&s_budget, 0);
    play(t, ">m >f <f >g >h", 0); /* m 10, f 20..30, g 40, h 50 */
    CHECK_EQUAL(calltree_walk_open(t, 70, print_sample, &out), 0);
    CHECK(strcmp(text, "m.g.h 0/0/0 20 20\nm.g 0/0/0 30 10\nm 0/0/0 60 20\n") == 0);
    check_tree(t, "m 1/0/0 0 0\nm.f 1/0/0 10 10\nm.g 1/0/0 0 0\nm.g.h 1/0/0 0 0\n");
    calltree_free(t);
}

static void reset_forgets_all_but_nodes(void) {
    struct calltree *t = calltree_new(&s_budget, 0);
    atomic_store(&t->record, true);
    play(t, ">m >f >f <f >g <m <z >m >f", 0);
    int64_t left = atomic_load(&s_budget);
    calltree_reset(t);
    check_tree(t, "");
    check_losses(t, 0, 0);
    CHECK_EQUAL(calltree_depth(t), 0);
    play(t, "<f <m >m >f <f <m", 200);
    check_tree(t, "m 1/0/0 30 20\nm.f 1/0/0 10 10\n");
    check_losses(t, 0, 2);
    CHECK_EQUAL(atomic_load(&s_budget), left);
    calltree_free(t);
    check_all_returned(&s_budget, PLENTY);
}

static int add_up(const struct code_record *code, const uint32_t *counts, void *arg) {
    unsigned(*sums)[2] = arg;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sums[code->id - 1][0] += counts[i];
    sums[code->id - 1][1] = (unsigned)percentile(counts, 0.5);
    return 0;
}

static void durations_are_recorded_when_asked(void) {
    unsigned sums[CODES][2] = {{0}};
    struct code_record *stack[] = {&s_codes[0]};
    struct calltree *t = calltree_new(&s_budget, 0);
    play(t, ">b <b", 0);
    atomic_store(&t->record, true);
    calltree_take_over(t, stack, 1, 100);
    /* a only in part, b from two callers, d's exit is missing */
    play(t, ">b <b >c >b <b >d <c <a", 100);
    CHECK_EQUAL(calltree_walk_functions(t, add_up, sums), 0);
    CHECK(sums[0][0] == 0 && sums[1][0] == 2 && sums[2][0] == 1 && sums[3][0] == 0);
    CHECK(sums[1][1] >= 10 && sums[1][1] < 12 && sums[2][1] >= 40 && sums[2][1] < 48);
    calltree_free(t);
}

static int sum_call(const struct calltree_sample *s, void *arg) {
    uint64_t *sums = arg;
    sums[s->node->id == PYUSDT_ID_OTHERS] += s->calls;
    return 0;
}

static void sum_calls(struct calltree *t, uint64_t *known, uint64_t *others) {
    uint64_t sums[2] = {0};
    calltree_walk(t, sum_call, sums);
    *known = sums[0];
    *others = sums[1];
}

static void a_spent_budget_charges_others(void) {
    _Atomic int64_t budget = 8 * CALLTREE_NODE_BYTES;
    uint64_t known, others;
    struct calltree_losses losses;
    struct calltree *t = calltree_new(&budget, 0);
    atomic_store(&t->record, true);
    play(t, ">a <a >a >b >a >b >c >d >e >f >f <f <f <e <d <c <b <a <b <a >a <a", 0);
    CHECK(atomic_load(&budget) >= 0);
    sum_calls(t, &known, &others);
    calltree_losses(t, &losses);
    CHECK_EQUAL(known + others, 11);
    CHECK(known >= 4 && others > 0);
    CHECK_EQUAL(losses.lost, others);
    CHECK(losses.untimed > 0);
    CHECK_EQUAL(losses.healed + losses.unknown + losses.too_deep, 0);
    CHECK_EQUAL(calltree_depth(t), 0);
    calltree_free(t);
    check_all_returned(&budget, 8 * CALLTREE_NODE_BYTES);
}

static void exits_match_under_others(void) {
    _Atomic int64_t budget = 0;
    struct calltree_done done;
    struct calltree_losses losses;
    struct calltree *t = calltree_new(&budget, 0);
    play(t, ">a >b >c >b >d", 0); /* 10, 20, 30, 40, 50 */
    CHECK(strcmp(atomic_load(&t->current)->qualname, "(others)") == 0);
    CHECK_EQUAL(calltree_exit(t, &s_codes[4], 60, CALLTREE_RETURN, &done), 0);
    CHECK_EQUAL(calltree_exit(t, &s_codes[1], 60, CALLTREE_RETURN, &done), 1);
    CHECK(done.depth == 4 && done.elapsed == 20 && done.self == 10);
    CHECK_EQUAL(calltree_exit(t, &s_codes[0], 70, CALLTREE_RETURN, &done), 1);
    CHECK(done.depth == 1 && done.elapsed == 60 && done.self == 10);
    check_tree(t, "(others) 5/0/0 60 60\n");
    calltree_losses(t, &losses);
    CHECK(losses.lost == 5 && losses.healed == 3 && losses.unknown == 1);
    calltree_free(t);
}

static void depth_is_bounded(uint32_t limit, uint32_t depth) {
    struct calltree_losses losses;
    struct calltree_done done;
    struct calltree *t = calltree_new(&s_budget, limit);
    for (uint32_t i = 0; i < depth; i++)
        calltree_enter(t, &s_codes[0], i, CALLTREE_START);
    CHECK_EQUAL(calltree_depth(t), depth < limit ? depth : limit);
    for (uint32_t i = 0; i < depth; i++)
        CHECK_EQUAL(calltree_exit(t, &s_codes[0], depth + i, CALLTREE_RETURN, &done),
                    i + limit >= depth);
    CHECK(done.depth == 1 && done.elapsed == 2 * depth - 1);
    CHECK_EQUAL(calltree_depth(t), 0);
    calltree_losses(t, &losses);
    CHECK_EQUAL(losses.too_deep, depth < limit ? 0 : depth - limit);
    CHECK_EQUAL(losses.unknown + losses.healed, 0);
    calltree_free(t);
    check_all_returned(&s_budget, PLENTY);
}

static void depths_around_the_limits(void) {
    static const uint32_t limits[] = {1, 2, 63, 64, 65, 150};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (uint32_t depth = 1; depth < 300; depth++)
            depth_is_bounded(limits[i], depth);
    }
}

static void too_deep_heals(void) {
    struct code_record *stack[] = {&s_codes[0], &s_codes[1]};
    struct calltree *t = calltree_new(&s_budget, 3);
    play(t, ">a >b >c >d >e <a", 0);
    CHECK_EQUAL(calltree_depth(t), 3); /* that exit was taken for e's */
    calltree_take_over(t, stack, 2, 100);
    CHECK_EQUAL(calltree_depth(t), 2);
    play(t, ">c >d >e <e <d <c <b <a >a <a", 110);
    CHECK_EQUAL(calltree_depth(t), 0);
    play(t, ">a >b >c >d >e", 400);
    calltree_reset(t);
    play(t, ">a >b <b <a", 500);
    check_tree(t, "a 1/0/0 30 20\na.b 1/0/0 10 10\n");
    calltree_free(t);
}

static int stop_at_second(const struct calltree_sample *sample, void *arg) {
    (void)arg;
    return sample->node->index == 1 ? -7 : 0;
}

static void walks_stop_on_request(void) {
    struct calltree *t = calltree_new(&s_budget, 0);
    play(t, ">a", 0);
    CHECK_EQUAL(calltree_walk(t, stop_at_second, NULL), -7);
    calltree_free(t);
    calltree_free(NULL);
}

struct growing {
    struct calltree *tree;
    uint32_t next_index;
};

/* Adds what fills many chunks, once, from within the walk. */
static int grow_at_first(const struct calltree_sample *sample, void *arg) {
    struct growing *g = arg;
    CHECK_EQUAL(sample->node->index, g->next_index);
    g->next_index++;
    for (int i = 0; sample->node->index == 3 && i < 1000; i++)
        calltree_enter(g->tree, &s_codes[i % CODES], 0, CALLTREE_START);
    return 0;
}

static void a_walk_skips_nothing_while_the_tree_grows(void) {
    struct growing g = {calltree_new(&s_budget, 0), 0};
    play(g.tree, ">a >b >c >d", 0);
    calltree_walk(g.tree, grow_at_first, &g);
    CHECK(g.next_index >= 6);
    calltree_free(g.tree);
}

int main(void) {
    static const struct test tests[] = {
        TEST(known_sequences),
        TEST(done_has_the_segment),
        TEST(slot_follows_the_thread),
        TEST(existing_stack_is_taken_over),
        TEST(taking_over_keeps_what_agrees),
        TEST(running_segments_can_be_added),
        TEST(reset_forgets_all_but_nodes),
        TEST(durations_are_recorded_when_asked),
        TEST(a_spent_budget_charges_others),
        TEST(exits_match_under_others),
        TEST(depths_around_the_limits),
        TEST(too_deep_heals),
        TEST(walks_stop_on_request),
        TEST(a_walk_skips_nothing_while_the_tree_grows),
    };
    make_codes();
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
