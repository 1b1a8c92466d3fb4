/* SPDX-License-Identifier: Apache-2.0
 *
 * Random programs: the tree against the model, and with every allocation failing in turn.
 */
#include "calltree_program.h"
#include "percentile.h"

static const struct mood s_tidy = {0, 0, 0, 0, CODES, 12};
static const struct mood s_wild = {400, 20, 2, 50, 5, 40};

/* The model's nodes are made in the same order; only "(others)" stands between, as number 1. */
static int compare_node(const struct calltree_sample *s, void *arg) {
    const struct model *m = arg;
    if (s->node->index < 2) {
        CHECK_EQUAL(s->calls + s->self + s->others, 0);
        return 0;
    }
    CHECK((int)s->node->index - 1 < m->n_nodes);
    const struct model_node *node = &m->nodes[s->node->index - 1];
    uint32_t parent = s->node->parent->index;
    CHECK_EQUAL(parent > 0 ? parent - 1 : 0, node->parent);
    CHECK(s->code == &s_codes[node->code]);
    CHECK_EQUAL(s->calls, node->calls);
    CHECK_EQUAL(s->resumes, node->resumes);
    CHECK_EQUAL(s->errors, node->errors);
    CHECK_EQUAL(s->self, node->self);
    CHECK_EQUAL(s->others, 0);
    return 0;
}

static int compare_recorded(const struct function *f, void *arg) {
    const struct code_record *code = f->code;
    static struct durations d;
    d.n = 0;
    calltree_walk_histogram(f, CALLTREE_RUNNING, keep_duration, &d);
    if (d.n > 0)
        CHECK_EQUAL(sum_of(&d), ((struct model *)arg)->recorded[code->id - 1]);
    return 0;
}

/* All frames end. */
static void model_finish(struct model *m, uint64_t now) {
    struct calltree_done ignored;
    while (m->top > 0)
        model_pop(m, now, &ignored);
}

/* What the tree has is what the model has, for each function, whatever became of its contexts. */
static int compare_total(const struct calltree_total *t, void *arg) {
    const struct model *m = arg;
    const struct model_total *wanted = &m->totals[t->code ? t->code->id - 1 : 0];
    if (t->code == NULL) {
        CHECK_EQUAL(t->calls + t->resumes + t->errors + t->total + t->self, 0);
        return 0;
    }
    CHECK_EQUAL(t->calls, wanted->calls);
    CHECK_EQUAL(t->primitive_calls, wanted->primitive_calls);
    CHECK_EQUAL(t->resumes, wanted->resumes);
    CHECK_EQUAL(t->errors, wanted->errors);
    CHECK_EQUAL(t->total, wanted->total);
    CHECK_EQUAL(t->self, wanted->self);
    return 0;
}

/* Running frames are the model's to add. */
static void compare_totals(struct calltree *t, const struct model *m) {
    uint64_t start =
        m->frames[m->top].start; /* then no running frame has time but by its callees */
    static struct model done;
    done = *m;
    model_finish(&done, start);
    walk_totals(t, start, compare_total, &done);
}

static void compare(struct calltree *t, struct model *m) {
    struct calltree_losses losses;
    const struct pyusdt_node *node = atomic_load(&t->current);
    for (int i = m->frames[m->top].node; i > 0; i = m->nodes[i].parent, node = node->parent)
        CHECK(node->qualname == s_names[m->nodes[i].code]);
    CHECK(node->parent == NULL);
    calltree_walk(t, compare_node, m);
    calltree_walk_functions(t, compare_recorded, m);
    compare_totals(t, m);
    calltree_losses(t, &losses);
    CHECK_EQUAL(losses.healed, m->healed);
    CHECK_EQUAL(losses.unknown, m->unknown);
    CHECK_EQUAL(losses.folded, m->folded);
    CHECK_EQUAL(losses.lost + losses.too_deep + losses.untimed, 0);
}

static void run_like_model(const struct mood *mood, uint64_t seed, unsigned events) {
    struct calltree_budget budget = BUDGET(PLENTY);
    struct program program = {mood, seed, 1000000, 0};
    struct calltree *t = calltree_new(&budget, 0);
    atomic_store(&t->record, true);
    model_init(&s_model);
    for (unsigned i = 0; i < events; i++) {
        struct event e = next_event(&program, &s_model);
        step(t, &s_model, &e);
        if (i % 5000 == 0)
            compare(t, &s_model);
    }
    compare(t, &s_model);
    calltree_free(t);
    check_all_returned(&budget, PLENTY);
}

static void same_as_the_model(void) {
    for (uint64_t seed = 1; seed <= 6; seed++) {
        run_like_model(&s_tidy, seed, turns(40000));
        run_like_model(&s_rough, seed, turns(40000));
        run_like_model(&s_wild, seed, turns(40000));
    }
}

/* Where functions had no memory either, their sums are in those of the nameless. */
static void compare_sums(struct calltree *t, const struct model *m) {
    uint64_t got[4] = {0}, wanted[4] = {0};
    walk_totals(t, 0, sum_total, got);
    for (int i = 0; i < CODES; i++) {
        wanted[0] += m->totals[i].calls;
        wanted[1] += m->totals[i].resumes;
        wanted[2] += m->totals[i].errors;
        wanted[3] += m->totals[i].self;
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(got[i], wanted[i]);
}

/* Frames do not depend on memory for nodes: with little or none, each event returns the same. */
static void run_short_of_memory(const struct mood *mood, int64_t bytes, unsigned events,
                                bool exact) {
    struct calltree_budget budget = BUDGET(bytes);
    struct program program = {mood, 7, 1000000, 0};
    struct calltree *t = calltree_new(&budget, 0);
    if (t == NULL)
        return;
    atomic_store(&t->record, true);
    model_init(&s_model);
    for (unsigned i = 0; i < events; i++) {
        struct event e = next_event(&program, &s_model);
        step(t, &s_model, &e);
        CHECK(atomic_load(&budget.contexts) >= 0);
    }
    if (exact)
        compare_totals(t, &s_model);
    compare_sums(t, &s_model);
    calltree_free(t);
    check_all_returned(&budget, bytes);
}

static void same_events_on_any_budget(void) {
    for (int64_t bytes = 0; bytes <= calltree_bytes(200); bytes += bytes / 2 + 60) {
        run_short_of_memory(&s_tidy, bytes, turns(4000), true);
        run_short_of_memory(&s_rough, bytes, turns(4000), true);
    }
}

static void every_allocation_fails_in_turn(void) {
    bool all_done = false;
    for (long n = 0; !all_done; n += turns(100) < 100 && n > 10 ? 7 : 1) {
        s_fail_once = true;
        s_calls_left = n;
        run_short_of_memory(&s_rough, PLENTY, 1500, false);
        all_done = s_calls_left >= 0;
        s_fail_once = false;
        s_calls_left = n;
        run_short_of_memory(&s_rough, PLENTY, 1500, false);
        s_calls_left = -1;
        CHECK_EQUAL(s_live, 0);
    }
}

static void run_with_a_full_stack(int frames) {
    struct calltree_budget budget = BUDGET(PLENTY);
    struct calltree_done done;
    struct calltree *t = calltree_new(&budget, 0);
    for (int i = 0; i < 1000; i++) { /* nodes have their memory then, the stack has not */
        calltree_enter(t, &s_codes[0], 0, CALLTREE_START);
        calltree_exit(t, &s_codes[0], 0, CALLTREE_RETURN, &done);
    }
    calltree_enter(t, &s_codes[1], 0, CALLTREE_START);
    for (int i = 1; i < 1000; i++) {
        s_calls_left = i == frames ? 0 : s_calls_left;
        calltree_enter(t, &s_codes[0], 0, CALLTREE_START);
        CHECK_EQUAL(calltree_depth(t), i < frames ? i + 1 : frames);
    }
    s_calls_left = -1;
    for (int i = 1; i < 1000; i++)
        CHECK_EQUAL(calltree_exit(t, &s_codes[0], 0, CALLTREE_RETURN, &done), i > 1000 - frames);
    CHECK_EQUAL(calltree_exit(t, &s_codes[1], 9, CALLTREE_RETURN, &done), 1);
    CHECK(done.depth == 1 && done.elapsed == 9 && calltree_depth(t) == 0);
    calltree_free(t);
    check_all_returned(&budget, PLENTY);
}

/* Whether the next try to grow would succeed or not: frames that were lost stay lost. */
static void a_stack_that_cannot_grow(void) {
    for (int frames = 64; frames < 1000; frames *= 2) {
        s_fail_once = false;
        run_with_a_full_stack(frames);
        s_fail_once = true;
        run_with_a_full_stack(frames);
    }
    s_fail_once = false;
}

int main(void) {
    static const struct test tests[] = {
        TEST(same_as_the_model),
        TEST(same_events_on_any_budget),
        TEST(every_allocation_fails_in_turn),
        TEST(a_stack_that_cannot_grow),
    };
    make_codes();
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
