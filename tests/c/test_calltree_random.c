/* SPDX-License-Identifier: Apache-2.0
 *
 * Random programs, with events missing, invented and out of order: the tree against the model; with
 * every allocation failing in turn; with a reader at work meanwhile.
 */
#include "calltree_model.h"

#include <pthread.h>

static struct model s_model;

/* How a random program goes: each in 1000 of the events. */
struct mood {
    unsigned wrong_exit;
    unsigned take_over;
    unsigned reset;
    unsigned clock_back;
    int codes; /* that it uses */
    int depth; /* that it hovers about */
};

static const struct mood s_tidy = {0, 0, 0, 0, CODES, 12};
static const struct mood s_rough = {20, 2, 1, 5, 10, 12};
static const struct mood s_wild = {400, 20, 2, 50, 5, 40};

enum action { ENTER, EXIT, TAKE_OVER, RESET };

struct event {
    enum action action;
    int code;
    int how; /* kind or outcome */
    uint64_t now;
    int stack[8], n;
};

struct program {
    const struct mood *mood;
    uint64_t random;
    uint64_t now;
    int hot; /* what is called in a loop */
};

static int below(struct program *p, unsigned n) {
    return (int)(next_random(&p->random) % n);
}

static bool one_in_1000(struct program *p, unsigned share) {
    return (unsigned)below(p, 1000) < share;
}

/* The next event where the stack is `m`'s. */
static struct event next_event(struct program *p, const struct model *m) {
    const struct mood *mood = p->mood;
    struct event e = {.action = ENTER, .how = below(p, 8)};
    p->now += (uint64_t)below(p, 100);
    e.now = one_in_1000(p, mood->clock_back) ? p->now - (uint64_t)below(p, 1000) : p->now;
    e.code = below(p, 10) < 7 ? p->hot : below(p, (unsigned)mood->codes);
    p->hot = e.code;
    if (one_in_1000(p, mood->reset)) {
        e.action = RESET;
    } else if (one_in_1000(p, mood->take_over)) {
        e.action = TAKE_OVER;
        e.n = below(p, 8);
        for (int i = 0; i < e.n; i++) /* often what it is already */
            e.stack[i] =
                i < m->top && below(p, 4) ? m->frames[i + 1].code : below(p, (unsigned)mood->codes);
    } else if (one_in_1000(p, mood->wrong_exit)) {
        e.action = EXIT;
    } else if (m->top > 0 && below(p, (unsigned)(m->top + mood->depth)) >= mood->depth) {
        e.action = EXIT;
        e.code = m->frames[m->top].code;
    }
    return e;
}

static enum calltree_kind kind_of(const struct event *e) {
    return e->how < 6 ? CALLTREE_START : e->how == 6 ? CALLTREE_RESUME : CALLTREE_THROW;
}

static enum calltree_outcome outcome_of(const struct event *e) {
    return e->how < 6 ? CALLTREE_RETURN : e->how == 6 ? CALLTREE_YIELD : CALLTREE_UNWIND;
}

static int apply_to_model(struct model *m, const struct event *e, struct calltree_done *done) {
    if (e->action == EXIT)
        return model_exit(m, e->code, e->now, outcome_of(e), done);
    if (e->action == ENTER)
        model_enter(m, e->code, e->now, kind_of(e));
    else if (e->action == TAKE_OVER)
        model_take_over(m, e->stack, e->n, e->now);
    else
        model_reset(m);
    return 0;
}

static int apply(struct calltree *t, const struct event *e, struct calltree_done *done) {
    struct code_record *stack[8];
    if (e->action == EXIT)
        return calltree_exit(t, &s_codes[e->code], e->now, outcome_of(e), done);
    for (int i = 0; i < e->n; i++)
        stack[i] = &s_codes[e->stack[i]];
    if (e->action == ENTER)
        calltree_enter(t, &s_codes[e->code], e->now, kind_of(e));
    else if (e->action == TAKE_OVER)
        calltree_take_over(t, stack, (uint32_t)e->n, e->now);
    else
        calltree_reset(t);
    return 0;
}

/* One event on both: they must tell the same of it. */
static void step(struct calltree *t, struct model *m, const struct event *e) {
    struct calltree_done got = {0}, wanted = {0};
    CHECK_EQUAL(apply(t, e, &got), apply_to_model(m, e, &wanted));
    CHECK_EQUAL(got.elapsed, wanted.elapsed);
    CHECK_EQUAL(got.self, wanted.self);
    CHECK_EQUAL(got.depth, wanted.depth);
    CHECK_EQUAL(got.partial, wanted.partial);
    CHECK_EQUAL(calltree_depth(t), m->top);
}

/* The model's nodes are made in the same order; only "(others)" stands between, as number 1. */
static int compare_node(const struct calltree_sample *s, void *arg) {
    const struct model *m = arg;
    if (s->node->index < 2) {
        CHECK_EQUAL(s->calls + s->elapsed, 0);
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
    CHECK_EQUAL(s->elapsed, node->elapsed);
    CHECK_EQUAL(s->self, node->self);
    return 0;
}

static int compare_recorded(const struct code_record *code, const uint32_t *counts, void *arg) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum += counts[i];
    CHECK_EQUAL(sum, ((struct model *)arg)->recorded[code->id - 1]);
    return 0;
}

static void compare(struct calltree *t, struct model *m) {
    struct calltree_losses losses;
    const struct pyusdt_node *node = atomic_load(&t->current);
    for (int i = m->top; i > 0; i--, node = node->parent)
        CHECK(node->qualname == s_names[m->frames[i].code]);
    CHECK(node->parent == NULL);
    calltree_walk(t, compare_node, m);
    calltree_walk_functions(t, compare_recorded, m);
    calltree_losses(t, &losses);
    CHECK_EQUAL(losses.healed, m->healed);
    CHECK_EQUAL(losses.unknown, m->unknown);
    CHECK_EQUAL(losses.lost + losses.too_deep + losses.untimed, 0);
}

static void run_like_model(const struct mood *mood, uint64_t seed, unsigned events) {
    _Atomic int64_t budget = PLENTY;
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

static int sum_node(const struct calltree_sample *s, void *arg) {
    uint64_t *sums = arg;
    CHECK(s->node->parent == NULL || s->node->parent->index < s->node->index);
    sums[0] += s->calls;
    sums[1] += s->resumes;
    sums[2] += s->errors;
    sums[3] += s->self;
    return 0;
}

/* Where contexts were lost, their sums are in "(others)". */
static void compare_sums(struct calltree *t, const struct model *m) {
    uint64_t got[4] = {0}, wanted[4] = {0};
    calltree_walk(t, sum_node, got);
    for (int i = 0; i < m->n_nodes; i++) {
        wanted[0] += m->nodes[i].calls;
        wanted[1] += m->nodes[i].resumes;
        wanted[2] += m->nodes[i].errors;
        wanted[3] += m->nodes[i].self;
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(got[i], wanted[i]);
}

/* Frames do not depend on memory for nodes: with little or none, each event tells the same. */
static void run_short_of_memory(const struct mood *mood, int64_t bytes, unsigned events) {
    _Atomic int64_t budget = bytes;
    struct program program = {mood, 7, 1000000, 0};
    struct calltree *t = calltree_new(&budget, 0);
    if (t == NULL)
        return;
    atomic_store(&t->record, true);
    model_init(&s_model);
    for (unsigned i = 0; i < events; i++) {
        struct event e = next_event(&program, &s_model);
        step(t, &s_model, &e);
        CHECK(atomic_load(&budget) >= 0);
    }
    compare_sums(t, &s_model);
    calltree_free(t);
    check_all_returned(&budget, bytes);
}

static void same_events_on_any_budget(void) {
    for (int64_t bytes = 0; bytes <= 200 * CALLTREE_NODE_BYTES; bytes += bytes / 2 + 60) {
        run_short_of_memory(&s_tidy, bytes, turns(4000));
        run_short_of_memory(&s_rough, bytes, turns(4000));
    }
}

static void every_allocation_fails_in_turn(void) {
    bool all_done = false;
    for (long n = 0; !all_done; n += turns(100) < 100 && n > 10 ? 7 : 1) {
        s_fail_once = true;
        s_calls_left = n;
        run_short_of_memory(&s_rough, PLENTY, 1500);
        all_done = s_calls_left >= 0;
        s_fail_once = false;
        s_calls_left = n;
        run_short_of_memory(&s_rough, PLENTY, 1500);
        s_calls_left = -1;
        CHECK_EQUAL(s_live, 0);
    }
}

static void a_stack_that_cannot_grow(void) {
    for (int fails = 0; fails < 5; fails++) {
        _Atomic int64_t budget = PLENTY;
        struct calltree_done done;
        struct calltree *t = calltree_new(&budget, 0);
        calltree_enter(t, &s_codes[1], 0, CALLTREE_START); /* nodes have their memory now */
        for (int i = 0; i < 1000; i++) {
            s_calls_left = i == 64 << fails ? 0 : s_calls_left;
            calltree_enter(t, &s_codes[0], 0, CALLTREE_START);
        }
        s_calls_left = -1;
        for (int i = 0; i < 1000; i++)
            calltree_exit(t, &s_codes[0], 0, CALLTREE_RETURN, &done);
        CHECK_EQUAL(calltree_exit(t, &s_codes[1], 9, CALLTREE_RETURN, &done), 1);
        CHECK(done.depth == 1 && done.elapsed == 9 && calltree_depth(t) == 0);
        calltree_free(t);
        check_all_returned(&budget, PLENTY);
    }
}

struct reading {
    struct calltree *tree;
    _Atomic int walks;
    atomic_bool stop;
};

static int read_node(const struct calltree_sample *s, void *arg) {
    uint32_t *index = arg;
    CHECK_EQUAL(s->node->index, *index);
    CHECK(strlen(s->node->qualname) > 0);
    *index += 1;
    return 0;
}

static int read_function(const struct code_record *code, const uint32_t *counts, void *arg) {
    (void)arg;
    CHECK(code->id >= 1 && code->id <= CODES);
    (void)histogram_percentile(counts, 0.99);
    return 0;
}

static void *read_all_the_time(void *arg) {
    struct reading *r = arg;
    while (!atomic_load(&r->stop)) {
        uint32_t index = 0;
        struct calltree_losses losses;
        calltree_walk(r->tree, read_node, &index);
        calltree_walk_functions(r->tree, read_function, NULL);
        calltree_losses(r->tree, &losses);
        const struct pyusdt_node *node =
            atomic_load_explicit(&r->tree->current, memory_order_acquire);
        uint32_t depth = node->depth;
        for (; node->parent != NULL; node = node->parent)
            CHECK_EQUAL(node->depth, depth--);
        atomic_store(&r->tree->record, atomic_fetch_add(&r->walks, 1) % 3 != 0);
    }
    return NULL;
}

static void read_while_it_grows(void) {
    _Atomic int64_t budget = PLENTY;
    struct program program = {&s_rough, 99, 1000000, 0};
    struct reading r = {.tree = calltree_new(&budget, 0)};
    pthread_t reader;
    model_init(&s_model);
    CHECK(pthread_create(&reader, NULL, read_all_the_time, &r) == 0);
    for (unsigned i = 0; i < turns(100000); i++) {
        struct event e = next_event(&program, &s_model);
        step(r.tree, &s_model, &e);
    }
    while (atomic_load(&r.walks) < 20) {
        struct calltree_done done;
        calltree_enter(r.tree, &s_codes[0], 0, CALLTREE_START);
        calltree_exit(r.tree, &s_codes[0], 0, CALLTREE_RETURN, &done);
    }
    atomic_store(&r.stop, true);
    pthread_join(reader, NULL);
    calltree_free(r.tree);
    check_all_returned(&budget, PLENTY);
}

struct sharer {
    pthread_t thread;
    struct calltree *tree;
    uint64_t entered;
};

static void *enter_at_random(void *arg) {
    struct sharer *s = arg;
    uint64_t random = (uint64_t)(uintptr_t)s | 1;
    struct calltree_done done;
    for (unsigned i = 0; i < turns(20000); i++) {
        int code = (int)(next_random(&random) % CODES);
        if (calltree_depth(s->tree) < 10) {
            calltree_enter(s->tree, &s_codes[code], i, CALLTREE_START);
            s->entered++;
        } else {
            calltree_take_over(s->tree, NULL, 0, i);
        }
        (void)calltree_exit(s->tree, &s_codes[code / 2], i, CALLTREE_RETURN, &done);
    }
    return NULL;
}

static void threads_share_a_budget(void) {
    enum { SHARERS = 4 };
    const int64_t bytes = 1000 * CALLTREE_NODE_BYTES;
    _Atomic int64_t budget = bytes;
    struct sharer sharers[SHARERS];
    for (int i = 0; i < SHARERS; i++)
        sharers[i] = (struct sharer){.tree = calltree_new(&budget, 0)};
    for (int i = 0; i < SHARERS; i++)
        CHECK(pthread_create(&sharers[i].thread, NULL, enter_at_random, &sharers[i]) == 0);
    for (int i = 0; i < SHARERS; i++) {
        uint64_t sums[4] = {0};
        pthread_join(sharers[i].thread, NULL);
        calltree_walk(sharers[i].tree, sum_node, sums);
        CHECK_EQUAL(sums[0], sharers[i].entered);
    }
    CHECK(atomic_load(&budget) >= 0 && atomic_load(&budget) < bytes);
    for (int i = 0; i < SHARERS; i++)
        calltree_free(sharers[i].tree);
    check_all_returned(&budget, bytes);
}

int main(void) {
    static const struct test tests[] = {
        TEST(same_as_the_model),
        TEST(same_events_on_any_budget),
        TEST(every_allocation_fails_in_turn),
        TEST(a_stack_that_cannot_grow),
        TEST(read_while_it_grows),
        TEST(threads_share_a_budget),
    };
    make_codes();
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
