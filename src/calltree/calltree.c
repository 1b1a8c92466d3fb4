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

void calltree_call(struct calltree *tree, const struct code_record *caller, const void *by,
                   struct code_record *code, const void *key, uint64_t now) {
    struct tree *t = private(tree);

    while (t->top->code != caller && t->top->leaf) {
        tree_pop(t, frame_end(t->top, now));
        tree_add(&t->healed, 1);
    }
    if (t->top->code == caller)
        t->top->key = by;
    if (code)
        tree_enter_c(tree, code, key, now);
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
        if (tree_push(t, codes[i], NULL, now))
            t->top->partial = true;
}

void calltree_switch(struct calltree *tree, struct code_record *const codes[], uint32_t n,
                     uint64_t now) {
    struct tree *t = private(tree);

    if (t->over > 0)
        t->top--;
    t->over = 0;
    while (t->top > t->stack)
        tree_close(t, now, CALLTREE_YIELD);
    for (uint32_t i = 0; i < n; i++)
        tree_enter(tree, codes[i], NULL, now, CALLTREE_RESUME);
}

void calltree_restart(struct calltree *tree, uint64_t now, uint64_t start) {
    struct tree *t = private(tree);
    struct frame *top = t->top;

    for (t->top = &t->stack[calltree_depth(tree)]; t->top > t->stack; t->top--) {
        if (t->top->row)
            tree_line_charge(t->top, now);
        tree_charge(t, frame_end(t->top, now));
        t->top->start = t->top->line_start = start;
        t->top->line_children = 0;
        t->top->children = t->top->began = 0;
        t->top->first = false;
        t->top->partial = true;
    }
    t->stack[0].children = 0;
    t->top = top;
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

/* `root` in the place of the nodes entered last: what was folded when memory was scarce need not be
 * now. */
static int clear_counters(struct node *node, void *root) {
    put(&node->calls, 0);
    put(&node->resumes, 0);
    put(&node->errors, 0);
    put(&node->self, 0);
    put(&node->others, 0);
    tree_stand_at(node, 0);
    node->hot = root;
    return 0;
}

static void clear_function(struct function *f, struct node *root) {
    struct histogram *h = atomic_load(&f->histogram), *latency = atomic_load(&f->latency);
    struct node *others = atomic_load(&f->others);

    if (h)
        histogram_clear(h);
    if (latency)
        histogram_clear(latency);
    if (others)
        clear_counters(others, root);
    lines_clear(&f->lines);
    put(&f->primitive_calls, 0);
    put(&f->total, 0);
}

void calltree_reset(struct calltree *tree) {
    struct tree *t = private(tree);
    struct function *f;

    drop_frames(t);
    nodes_walk(&t->nodes, clear_counters, &t->nodes.root);
    clear_function(&t->nodes.nameless, &t->nodes.root);
    for (f = atomic_load(&t->nodes.functions); f; f = f->next)
        clear_function(f, &t->nodes.root);
    put(&t->lost, 0);
    put(&t->folded, 0);
    put(&t->too_deep, 0);
    put(&t->healed, 0);
    put(&t->unknown, 0);
    put(&t->untimed, 0);
    put(&t->unlined, 0);
}

/* Whether the top frame runs `code`: it is known by `key` then. */
static bool come_to(struct tree *t, const struct code_record *code, const void *key, uint64_t now) {
    if (t->top->code != code && !tree_find(t, code, now))
        return false;
    t->top->key = key;
    return true;
}

void calltree_line(struct calltree *tree, const struct code_record *code, const void *key,
                   int32_t line, uint64_t now, bool goes_on) {
    struct tree *t = private(tree);

    if (!come_to(t, code, key, now))
        return;
    if (goes_on)
        tree_line_goes_on(t, line, now);
    else
        tree_line_any(t, line, now);
}

void calltree_error(struct calltree *tree, const struct code_record *code, const void *key,
                    uint64_t now) {
    if (come_to(private(tree), code, key, now))
        tree_error(tree, key);
}

bool calltree_runs(struct calltree *tree, const struct code_record *code) {
    const struct function *f = nodes_function(&private(tree)->nodes, code);

    return f && f->last > 0;
}

static bool is_top(const struct tree *t, const struct code_record *code) {
    return t->top->code == code && !t->top->partial && !t->top->leaf;
}

uint64_t calltree_first_entry(const struct calltree *tree, const struct code_record *code) {
    const struct tree *t = (const struct tree *)tree;

    return is_top(t, code) && !t->top->began ? t->top->start : 0;
}

void calltree_resumed(struct calltree *tree, const struct code_record *code, uint64_t began) {
    struct tree *t = private(tree);

    if (is_top(t, code) && began)
        t->top->began = began;
}

bool calltree_ends(struct calltree *tree, const struct code_record *code, uint64_t now,
                   uint64_t *latency) {
    struct tree *t = private(tree);

    if (!is_top(t, code) || !t->top->began)
        return false;
    *latency = t->top->began == FRAME_UNKNOWN ? 0 : tree_minus(now, t->top->began);
    if (*latency && atomic_load_explicit(&tree->record, memory_order_relaxed))
        tree_record_latency(t, *latency);
    return true;
}

uint32_t calltree_depth(const struct calltree *tree) {
    const struct tree *t = (const struct tree *)tree;

    return (uint32_t)(t->top - t->stack) - (t->over > 0);
}

int64_t calltree_bytes(uint64_t contexts) {
    return nodes_bytes(contexts);
}

struct calltree *calltree_new(struct calltree_budget *budget, uint32_t depth_limit) {
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
