/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers at work while trees grow, and trees of several threads on one budget.
 */
#include <pthread.h>

#include "calltree_program.h"
#include "percentile.h"

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

static int read_function(const struct function *f, void *arg) {
    const struct code_record *code = f->code;
    static struct durations d;
    d.n = 0;
    if (calltree_walk_histogram(f, CALLTREE_RUNNING, keep_duration, &d) != 0 || d.n == 0)
        return 0;
    (void)arg;
    CHECK(code->id >= 1 && code->id <= CODES);
    CHECK(percentile(&d, 0.99) <= percentile(&d, 1));
    return 0;
}

static int count_function(const struct function *f, void *arg) {
    const struct code_record *code = f->code;
    static struct durations d;
    d.n = 0;
    if (calltree_walk_histogram(f, CALLTREE_RUNNING, keep_duration, &d) != 0 || d.n == 0)
        return 0;
    CHECK(code->id > 0 && code->qualname != NULL && percentile(&d, 1) == 100);
    *(unsigned *)arg += 1;
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
    struct calltree_budget budget = BUDGET(PLENTY);
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

/* A reader that walks while functions and histograms appear. */
static void *walk_all_the_time(void *arg) {
    struct reading *r = arg;
    while (!atomic_load(&r->stop)) {
        unsigned functions = 0;
        calltree_walk_functions(r->tree, count_function, &functions);
        atomic_fetch_add(&r->walks, 1);
    }
    return NULL;
}

static void read_while_functions_appear(void) {
    enum { MANY = 2000 };
    static struct code_record codes[MANY];
    struct calltree_budget budget = BUDGET(PLENTY);
    struct reading r = {.tree = calltree_new(&budget, 0)};
    struct calltree_done done;
    pthread_t reader;
    atomic_store(&r.tree->record, true);
    CHECK(pthread_create(&reader, NULL, walk_all_the_time, &r) == 0);
    for (int i = 0; i < MANY; i++) {
        codes[i] = s_codes[i % CODES];
        codes[i].id = (uint32_t)i + 1;
        calltree_enter(r.tree, &codes[i], 0, CALLTREE_START);
        calltree_exit(r.tree, &codes[i], 100, CALLTREE_RETURN, &done);
        while (i == MANY / 2 && atomic_load(&r.walks) == 0)
            continue;
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
    const int64_t bytes = calltree_bytes(1000);
    struct calltree_budget budget = BUDGET(bytes);
    struct sharer sharers[SHARERS];
    for (int i = 0; i < SHARERS; i++)
        sharers[i] = (struct sharer){.tree = calltree_new(&budget, 0)};
    for (int i = 0; i < SHARERS; i++)
        CHECK(pthread_create(&sharers[i].thread, NULL, enter_at_random, &sharers[i]) == 0);
    for (int i = 0; i < SHARERS; i++) {
        uint64_t sums[4] = {0};
        pthread_join(sharers[i].thread, NULL);
        walk_totals(sharers[i].tree, 0, sum_total, sums);
        CHECK_EQUAL(sums[0], sharers[i].entered);
    }
    CHECK(atomic_load(&budget.contexts) >= 0 && atomic_load(&budget.contexts) < bytes);
    for (int i = 0; i < SHARERS; i++)
        calltree_free(sharers[i].tree);
    check_all_returned(&budget, bytes);
}

int main(void) {
    static const struct test tests[] = {
        TEST(read_while_it_grows),
        TEST(read_while_functions_appear),
        TEST(threads_share_a_budget),
    };
    make_codes();
    return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
