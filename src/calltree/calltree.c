/* SPDX-License-Identifier: Apache-2.0 */
#include "calltree/calltree.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "calltree/tree.h"

#define FIRST_FRAMES 64u

static struct tree *private(struct calltree *t) {
    return (struct tree *)t;
}

static uint64_t get(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void put(_Atomic uint64_t *counter, uint64_t value) {
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

HOT void calltree_enter(struct calltree *tree, struct code_record *code, uint64_t now,
                        enum calltree_kind kind) {
    tree_enter(tree, code, NULL, now, kind);
}

HOT int calltree_exit(struct calltree *tree, struct code_record *code, uint64_t now,
                      enum calltree_outcome outcome, struct calltree_done *done) {
    struct tree *t = private(tree);

    if (UNLIKELY(t->top->code != code) && !tree_heal(t, code, now))
        return 0;
    tree_close_done(t, now, outcome, done);
    return 1;
}

void calltree_call(struct calltree *tree, const struct code_record *caller,
                   struct code_record *code, const void *key, uint64_t now) {
    tree_call(tree, caller, code, key, now);
}

void calltree_take_over(struct calltree *tree, struct code_record *const codes[], uint32_t n,
                        uint64_t now) {
    struct tree *t = private(tree);
    uint32_t agree = 0, depth;

    if (t->over > 0)
        t->top--;
    t->over = 0;
    depth = calltree_depth(tree);
    while (agree < n && agree < depth && t->stack[agree + 1].code == codes[agree])
        agree++;
    tree_pop_healed(t, &t->stack[agree], now);
    for (uint32_t i = agree; i < n; i++)
        tree_push(t, codes[i], now, true);
}

/* Off the stack without any accounting. */
static void drop_frames(struct tree *t) {
    if (t->over > 0)
        t->top--;
    t->over = 0;
    for (; t->top > t->stack; t->top--)
        t->top->node->function->last = 0;
    t->stack[0].children = 0;
    tree_set_top(t, t->stack);
}

static int clear_counters(struct node *node, void *arg) {
    (void)arg;
    put(&node->calls, 0);
    put(&node->resumes, 0);
    put(&node->errors, 0);
    put(&node->elapsed, 0);
    put(&node->self, 0);
    return 0;
}

void calltree_reset(struct calltree *tree) {
    struct tree *t = private(tree);
    struct function *f;

    drop_frames(t);
    nodes_walk(&t->nodes, clear_counters, NULL);
    for (f = atomic_load(&t->nodes.functions); f; f = f->next) {
        struct histogram *h = atomic_load(&f->histogram);

        if (h)
            histogram_clear(h);
    }
    put(&t->lost, 0);
    put(&t->too_deep, 0);
    put(&t->healed, 0);
    put(&t->unknown, 0);
    put(&t->untimed, 0);
}

uint32_t calltree_depth(const struct calltree *tree) {
    const struct tree *t = (const struct tree *)tree;

    return (uint32_t)(t->top - t->stack) - (t->over > 0);
}

struct walk {
    struct tree *tree;
    calltree_visitor fn;
    void *arg;
};

static int visit_sample(struct node *node, void *arg) {
    struct walk *walk = arg;
    struct calltree_sample sample = {
        .node = &node->public,
        .code = node->code,
        .calls = get(&node->calls),
        .resumes = get(&node->resumes),
        .errors = get(&node->errors),
        .elapsed = get(&node->elapsed),
        .self = get(&node->self),
    };

    /* Its frames may be nested, and then elapsed has the inner ones twice. */
    if (node == &walk->tree->nodes.others)
        sample.elapsed = sample.self;
    return walk->fn(&sample, walk->arg);
}

int calltree_walk(struct calltree *tree, calltree_visitor fn, void *arg) {
    struct walk walk = {private(tree), fn, arg};

    return nodes_walk(&walk.tree->nodes, visit_sample, &walk);
}

int calltree_walk_open(struct calltree *tree, uint64_t now, calltree_visitor fn, void *arg) {
    struct tree *t = private(tree);
    uint64_t above = 0;
    int ret = 0;

    for (struct frame *f = &t->stack[calltree_depth(tree)]; f > t->stack && ret == 0; f--) {
        struct calltree_sample sample = {.node = &f->node->public, .code = f->node->code};
        uint64_t elapsed = tree_minus(now, f->start);

        sample.self = tree_minus(elapsed, f->children + above);
        sample.elapsed = f->node == &t->nodes.others ? sample.self : elapsed;
        above = elapsed;
        ret = fn(&sample, arg);
    }
    return ret;
}

int calltree_walk_functions(struct calltree *tree, calltree_function_visitor fn, void *arg) {
    struct function *f =
        atomic_load_explicit(&private(tree)->nodes.functions, memory_order_acquire);
    int ret = 0;

    for (; f && ret == 0; f = f->next) {
        uint32_t counts[HISTOGRAM_BUCKETS];
        struct histogram *h = atomic_load_explicit(&f->histogram, memory_order_acquire);

        if (!h)
            continue;
        histogram_read(h, counts);
        ret = fn(f->code, counts, arg);
    }
    return ret;
}

void calltree_losses(const struct calltree *tree, struct calltree_losses *losses) {
    const struct tree *t = (const struct tree *)tree;

    losses->lost = get(&t->lost);
    losses->too_deep = get(&t->too_deep);
    losses->healed = get(&t->healed);
    losses->unknown = get(&t->unknown);
    losses->untimed = get(&t->untimed);
}

struct calltree *calltree_new(_Atomic int64_t *budget, uint32_t depth_limit) {
    uint32_t room;
    struct tree *t;
    struct frame *stack;

    if (depth_limit == 0 || depth_limit > CALLTREE_MAX_DEPTH)
        depth_limit = CALLTREE_MAX_DEPTH;
    room = depth_limit < FIRST_FRAMES ? depth_limit : FIRST_FRAMES;
    t = aligned_alloc(64, sizeof *t);
    stack = calloc(room + 2, sizeof *stack);
    if (!t || !stack) {
        free(t);
        free(stack);
        return NULL;
    }
    memset(t, 0, sizeof *t);
    nodes_init(&t->nodes, budget);
    t->stack = stack;
    t->limit = stack + room;
    t->depth_limit = depth_limit;
    stack[0].node = &t->nodes.root;
    tree_set_top(t, stack);
    return &t->public;
}

void calltree_free(struct calltree *tree) {
    struct tree *t = private(tree);

    if (!t)
        return;
    nodes_clear(&t->nodes);
    free(t->stack);
    free(t);
}
