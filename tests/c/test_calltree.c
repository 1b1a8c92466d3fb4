/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequences with hand-computed trees, and the bounds. A sequence is events separated by spaces, 10
 * ticks apart, the first at 10: an action and the name of a code. Actions: > start, ~ resume, !
 * throw, < return, ^ yield, x unwind. A tree is one line for each context that has counts, in the
 * order of appearance: path calls/resumes/errors elapsed self.
 */
#include "calltree_under_test.h"
#include "percentile.h"

static struct calltree_budget s_budget = BUDGET(PLENTY);

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

struct samples {
    struct calltree_sample of[100];
    uint64_t elapsed[100]; /* with all that was called */
    uint32_t n;
};

static int keep_sample(const struct calltree_sample *sample, void *arg) {
    struct samples *s = arg;
    uint32_t index = sample->node->index;
    CHECK(index < 100 && index == s->n);
    s->of[s->n++] = *sample;
    return 0;
}

static int keep_open(const struct calltree_open *open, void *arg) {
    struct samples *s = arg;
    if (open->node != NULL) {
        s->of[open->node->index].self += open->self;
        s->of[open->node->index].others += open->others;
    }
    return 0;
}

/* `open_at`: until then running frames count; 0: they do not. */
static void check_tree_at(struct calltree *t, uint64_t open_at, const char *wanted) {
    char text[4096], *out = text;
    struct samples s = {.n = 0};
    text[0] = '\0';
    CHECK_EQUAL(calltree_walk(t, keep_sample, &s), 0);
    if (open_at > 0)
        CHECK_EQUAL(calltree_walk_open(t, open_at, keep_open, &s), 0);
    for (uint32_t i = s.n; i-- > 0;) {
        const struct calltree_sample *it = &s.of[i];
        s.elapsed[i] += it->self + it->others;
        if (it->node->parent != NULL)
            s.elapsed[it->node->parent->index] += s.elapsed[i];
    }
    for (uint32_t i = 1; i < s.n; i++) {
        const struct calltree_sample *it = &s.of[i];
        if (it->calls + it->resumes + it->errors + s.elapsed[i] == 0)
            continue;
        out = print_path(out, it->node);
        out += sprintf(out, " %d/%d/%d %d %d\n", (int)it->calls, (int)it->resumes, (int)it->errors,
                       (int)s.elapsed[i], (int)it->self);
    }
    if (s.of[0].others > 0)
        sprintf(out, "given up %d\n", (int)s.of[0].others);
    if (strcmp(text, wanted) != 0) {
        fprintf(stderr, "the tree is\n%swanted\n%s", text, wanted);
        exit(1);
    }
}

static void check_tree(struct calltree *t, const char *wanted) {
    check_tree_at(t, 0, wanted);
}

static int print_total(const struct calltree_total *t, void *arg) {
    char **out = arg;
    if (t->calls + t->resumes + t->errors + t->total + t->self > 0)
        *out += sprintf(*out, "%s %d(%d)/%d/%d %d %d\n", t->code ? t->code->qualname : "(others)",
                        (int)t->calls, (int)t->primitive_calls, (int)t->resumes, (int)t->errors,
                        (int)t->total, (int)t->self);
    return 0;
}

/* Functions, the newest first: name calls(primitive)/resumes/errors total self. */
static void check_totals(struct calltree *t, uint64_t now, const char *wanted) {
    char text[4096], *out = text;
    text[0] = '\0';
    CHECK_EQUAL(walk_totals(t, now, print_total, &out), 0);
    if (strcmp(text, wanted) != 0) {
        fprintf(stderr, "the functions are\n%swanted\n%s", text, wanted);
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
    struct calltree *t = calltree_new(&s_budget, 0);
    play(t, ">m >f <f >g >h", 0); /* m 10, f 20..30, g 40, h 50 */
    check_tree_at(t, 70, "m 1/0/0 60 20\nm.f 1/0/0 10 10\nm.g 1/0/0 30 10\nm.g.h 1/0/0 20 20\n");
    check_totals(t, 70, "h 1(1)/0/0 20 20\ng 1(1)/0/0 30 10\nf 1(1)/0/0 10 10\nm 1(1)/0/0 60 20\n");
    calltree_free(t);
}

static void functions_count_recursion_once(void) {
    struct calltree *t = calltree_new(&s_budget, 0);
    /* f 10..100, g 20..70 in it, f 30..60, g 40..50; g 80..90 */
    play(t, ">f >g >f >g ^g <f <g ~g xg <f", 0);
    check_totals(t, 0, "g 2(1)/1/1 60 40\nf 2(1)/0/0 90 50\n");
    play(t, ">f >f", 100); /* running from 110 and 120 */
    check_totals(t, 130, "g 2(1)/1/1 60 40\nf 4(2)/0/0 110 70\n");
    calltree_free(t);
}

static void reset_forgets_all_but_nodes(void) {
    struct calltree *t = calltree_new(&s_budget, 0);
    atomic_store(&t->record, true);
    play(t, ">m >f >f <f >g <m <z >m >f", 0);
    int64_t left = atomic_load(&s_budget.contexts);
    calltree_reset(t);
    check_tree(t, "");
    check_losses(t, 0, 0);
    CHECK_EQUAL(calltree_depth(t), 0);
    play(t, "<f <m >m >f <f <m", 200);
    check_tree(t, "m 1/0/0 30 20\nm.f 1/0/0 10 10\n");
    check_losses(t, 0, 2);
    CHECK_EQUAL(atomic_load(&s_budget.contexts), left);
    calltree_free(t);
    check_all_returned(&s_budget, PLENTY);
}

static int add_durations(const struct function *f, void *arg) {
    unsigned(*sums)[2] = arg;
    const struct code_record *code = f->code;
    static struct durations d;
    d.n = 0;
    calltree_walk_histogram(f, CALLTREE_RUNNING, keep_duration, &d);
    if (d.n > 0) {
        sums[code->id - 1][0] = (unsigned)sum_of(&d);
        sums[code->id - 1][1] = (unsigned)percentile(&d, 0.5);
    }
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
    CHECK_EQUAL(calltree_walk_functions(t, add_durations, sums), 0);
    CHECK(sums[0][0] == 0 && sums[1][0] == 2 && sums[2][0] == 1 && sums[3][0] == 0);
    CHECK(sums[1][1] == 10 && sums[2][1] == 40);
    calltree_free(t);
}

/* Budgets of so many contexts hold them, and not many more. */
static int count_known(const struct calltree_sample *s, void *arg) {
    *(uint64_t *)arg += s->node->index > 1;
    return 0;
}

static void as_many_contexts_as_allowed_fit(void) {
    static struct code_record codes[5000];
    static const uint64_t bounds[] = {1, 2, 16, 60, 65, 1000, 2049, 4100};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        struct calltree_budget budget = BUDGET(calltree_bytes(bounds[i]));
        struct calltree *t = calltree_new(&budget, 0);
        struct calltree_done done;
        uint64_t known = 0;
        for (uint32_t c = 0; c < 5000; c++) {
            codes[c] = s_codes[0];
            codes[c].id = c + 1;
            calltree_enter(t, &codes[c], 0, CALLTREE_START);
            calltree_exit(t, &codes[c], 0, CALLTREE_RETURN, &done);
        }
        calltree_walk(t, count_known, &known);
        CHECK(known >= bounds[i] && known <= bounds[i] + bounds[i] / 8 + 32);
        calltree_free(t);
        check_all_returned(&budget, calltree_bytes(bounds[i]));
    }
}

/* Functions know no budget of contexts: with none left, and with some. */
static void a_spent_budget_gives_up_contexts_alone(void) {
    struct calltree_losses losses;
    struct calltree_budget budget = BUDGET(0);
    struct calltree *t = calltree_new(&budget, 0);
    atomic_store(&t->record, true);
    play(t, ">a >b <b >c ^c ~c xc <a", 0); /* a 10..80, b 20..30, c 40..50, 60..70 */
    check_tree(t, "given up 70\n");
    check_totals(t, 0, "c 1(1)/1/1 20 20\nb 1(1)/0/0 10 10\na 1(1)/0/0 70 40\n");
    atomic_store(&budget.contexts, 1000);
    play(t, ">d", 100); /* 110; in the memory of seven contexts, or less */
    for (char code = 'e'; code < 'q'; code++)
        play(t, (char[]){'>', code, ' ', '<', code, '\0'}, 100 + 20 * (uint64_t)(code - 'd'));
    play(t, "<d", 500);
    CHECK(strcmp(atomic_load(&t->current)->qualname, "(thread)") == 0);
    calltree_losses(t, &losses);
    CHECK(losses.lost > 4 && losses.untimed == 0 && losses.folded == 0);
    CHECK_EQUAL(losses.healed + losses.unknown + losses.too_deep, 0);
    struct samples s = {.n = 0};
    calltree_walk(t, keep_sample, &s);
    CHECK(s.n > 3 && s.of[2].others == 10 * (losses.lost - 4) && s.of[2].self == 280);
    calltree_free(t);
    atomic_store(&budget.contexts, 0);
}

static void running_frames_in_given_up_contexts_count(void) {
    struct calltree_budget budget = BUDGET(0);
    struct calltree *t = calltree_new(&budget, 0);
    play(t, ">a >b", 0);
    CHECK(strcmp(atomic_load(&t->current)->qualname, "(others)") == 0);
    check_tree_at(t, 50, "given up 40\n");
    check_totals(t, 50, "b 1(1)/0/0 30 30\na 1(1)/0/0 40 10\n");
    calltree_free(t);
}

static void exits_match_without_memory(void) {
    struct calltree_budget budget = {.histograms = PLENTY};
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
    check_tree(t, "given up 60\n");
    check_totals(t, 0, "(others) 5(1)/0/0 60 60\n");
    calltree_losses(t, &losses);
    CHECK(losses.lost == 5 && losses.healed == 3 && losses.unknown == 1);
    calltree_free(t);
}

/* A function may have memory in some of its frames only. */
static void exits_match_with_memory_for_some(void) {
    struct calltree_budget budget = {.contexts = PLENTY};
    struct calltree_done done;
    struct calltree *t = calltree_new(&budget, 0);
    play(t, ">a >b", 0);
    atomic_store(&budget.functions, PLENTY);
    play(t, ">a >c >a", 20); /* 30, 40, 50 */
    for (uint64_t depth = 5; depth > 1; depth -= 2) {
        CHECK_EQUAL(calltree_exit(t, &s_codes[0], 60, CALLTREE_RETURN, &done), 1);
        CHECK_EQUAL(done.depth, depth);
    }
    CHECK_EQUAL(calltree_exit(t, &s_codes[0], 60, CALLTREE_RETURN, &done), 1);
    CHECK_EQUAL(calltree_depth(t), 0);
    calltree_free(t);
}

static void deep_recursion_is_folded(void) {
    struct calltree_losses losses;
    struct calltree *t = calltree_new(&s_budget, 0);
    play(t, ">f >f >f >f >f >f >f >f >f >g <g >f <f <f", 0);
    CHECK_EQUAL(calltree_depth(t), 8);
    play(t, ">f <f <f <f <f <f <f <f <f <f", 140);
    check_tree(t, "f 1/0/0 230 20\nf.f 1/0/0 210 20\nf.f.f 1/0/0 190 20\nf.f.f.f 1/0/0 170 20\n"
                  "f.f.f.f.f 1/0/0 150 20\nf.f.f.f.f.f 1/0/0 130 20\nf.f.f.f.f.f.f 1/0/0 110 20\n"
                  "f.f.f.f.f.f.f.f 4/0/0 90 80\nf.f.f.f.f.f.f.f.g 1/0/0 10 10\n");
    check_totals(t, 0, "g 1(1)/0/0 10 10\nf 11(1)/0/0 230 220\n");
    calltree_losses(t, &losses);
    CHECK(losses.folded == 3 && losses.lost == 0);
    calltree_free(t);
}

static void recursion_is_folded_at_once_when_memory_is_scarce(void) {
    struct calltree_losses losses;
    struct calltree_budget budget = BUDGET(PLENTY);
    struct calltree *t = calltree_new(&budget, 0);
    atomic_store(&budget.scarce, PLENTY + 1);
    play(t, ">a >b >a >c >b <b <c <a <b <a", 0); /* a is one context, with b and c in it */
    check_tree(t, "a 2/0/0 90 40\na.b 1/0/0 20 20\na.c 1/0/0 30 20\na.c.b 1/0/0 10 10\n");
    check_totals(t, 0, "c 1(1)/0/0 30 20\nb 2(1)/0/0 70 30\na 2(1)/0/0 90 40\n");
    calltree_losses(t, &losses);
    CHECK_EQUAL(losses.folded, 1);
    atomic_store(&budget.scarce, 0); /* from the next reset on it need not be */
    calltree_reset(t);
    play(t, ">a >b >a <a <b <a", 0);
    check_tree(t, "a 1/0/0 50 20\na.b 1/0/0 30 20\na.b.a 1/0/0 10 10\n");
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

/* A reader that wants times comes and goes. */
static void segments_end_and_go_on_without_a_time(void) {
    struct calltree *t = calltree_new(&s_budget, 0);
    struct calltree_done done;
    play(t, ">a >b", 0);
    calltree_restart(t, 50, 0);
    check_tree_at(t, 1000, "a 1/0/0 40 10\na.b 1/0/0 30 30\n");
    CHECK_EQUAL(calltree_exit(t, &s_codes[1], 0, CALLTREE_RETURN, &done), 1);
    CHECK(done.partial && done.elapsed == 0);
    calltree_enter(t, &s_codes[2], 0, CALLTREE_START);
    calltree_restart(t, 2000, 100);
    play(t, "<c <a", 120);
    check_tree(t, "a 1/0/0 80 20\na.b 1/0/0 30 30\na.c 1/0/0 30 30\n");
    check_totals(t, 0, "c 1(1)/0/0 30 30\nb 1(1)/0/0 30 30\na 1(1)/0/0 80 20\n");
    check_losses(t, 0, 0);
    calltree_free(t);
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
        TEST(segments_end_and_go_on_without_a_time),
        TEST(durations_are_recorded_when_asked),
        TEST(functions_count_recursion_once),
        TEST(as_many_contexts_as_allowed_fit),
        TEST(a_spent_budget_gives_up_contexts_alone),
        TEST(running_frames_in_given_up_contexts_count),
        TEST(exits_match_without_memory),
        TEST(exits_match_with_memory_for_some),
        TEST(deep_recursion_is_folded),
        TEST(recursion_is_folded_at_once_when_memory_is_scarce),
        TEST(depths_around_the_limits),
        TEST(too_deep_heals),
        TEST(walks_stop_on_request),
        TEST(a_walk_skips_nothing_while_the_tree_grows),
    };
    make_codes();
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
