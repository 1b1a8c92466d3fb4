/* SPDX-License-Identifier: Apache-2.0
 *
 * What others read of a call tree, most of it while its thread goes on.
 */
#include "calltree/calltree.h"
#include "calltree/tree.h"

static uint64_t get(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct walk {
    struct tree *tree;
    calltree_visitor fn;
    void *arg;
};

/* The public half is the beginning of a node. */
void calltree_read(const struct pyusdt_node *node, struct calltree_sample *sample) {
    const struct node *whole = (const struct node *)node;

    *sample = (struct calltree_sample){
        .node = node,
        .code = node_code(whole),
        .calls = get(&whole->calls),
        .resumes = get(&whole->resumes),
        .errors = get(&whole->errors),
        .self = get(&whole->self),
        .others = get(&whole->others),
    };
}

const struct code_record *calltree_function(const struct pyusdt_node *node) {
    const struct function *function = ((const struct node *)node)->function;

    return function ? function->code : NULL;
}

static int visit_sample(struct node *node, void *arg) {
    struct walk *walk = arg;
    struct calltree_sample sample = {.node = &node->public, .code = node_code(node)};

    if (node != &walk->tree->nodes.others)
        calltree_read(&node->public, &sample);
    return walk->fn(&sample, walk->arg);
}

int calltree_walk(struct calltree *tree, calltree_visitor fn, void *arg) {
    struct walk walk = {(struct tree *)tree, fn, arg};

    return nodes_walk(&walk.tree->nodes, visit_sample, &walk);
}

int calltree_walk_open(struct calltree *tree, uint64_t now, calltree_open_visitor fn, void *arg) {
    struct tree *t = (struct tree *)tree;
    uint64_t above = 0;
    bool above_given_up = false;
    int ret = 0;

    for (struct frame *f = &t->stack[calltree_depth(tree)]; f >= t->stack && ret == 0; f--) {
        struct calltree_open open = {.function = f->node->function,
                                     .elapsed = tree_minus(frame_end(f, now), f->start)};

        open.others = above_given_up ? above : 0;
        above_given_up = node_is_given_up(f->node);
        open.node = above_given_up ? NULL : &f->node->public;
        open.self = f > t->stack ? tree_minus(open.elapsed, f->children + above) : 0;
        open.lowest = !frame_below(f);
        above = open.elapsed;
        ret = fn(&open, arg);
    }
    return ret;
}

int calltree_walk_functions(struct calltree *tree, calltree_function_visitor fn, void *arg) {
    struct nodes *n = &((struct tree *)tree)->nodes;
    const struct function *f = atomic_load_explicit(&n->functions, memory_order_acquire);
    int ret;

    nodes_read(n);
    ret = fn(&n->nameless, arg);
    for (; f && ret == 0; f = f->next)
        ret = fn(f, arg);
    nodes_read_no_more(n);
    return ret;
}

int calltree_walk_lines(struct calltree *tree, calltree_line_visitor fn, void *arg) {
    const struct function *f =
        atomic_load_explicit(&((struct tree *)tree)->nodes.functions, memory_order_acquire);
    int ret = 0;

    for (; f && ret == 0; f = f->next)
        ret = lines_walk(&f->lines, f->code, fn, arg);
    return ret;
}

int calltree_walk_lines_of(const struct pyusdt_node *node, calltree_line_visitor fn, void *arg) {
    const struct function *f = ((const struct node *)node)->function;

    return lines_walk(&f->lines, f->code, fn, arg);
}

int calltree_walk_open_lines(struct calltree *tree, uint64_t now, calltree_line_visitor fn,
                             void *arg) {
    struct tree *t = (struct tree *)tree;
    struct frame *top = &t->stack[calltree_depth(tree)];
    uint64_t above = 0;
    int ret = 0;

    for (struct frame *f = top; f > t->stack; f--) {
        if (f->row) {
            struct calltree_line line = tree_open_line(f, now, above);

            ret = ret == 0 ? fn(&line, arg) : ret;
        }
        above = tree_minus(frame_end(f, now), f->start);
    }
    for (struct frame *f = top; f > t->stack; f--)
        if (f->row && f->inside)
            f->row->inside++;
    return ret;
}

void calltree_read_function(const struct function *f, struct calltree_total *total) {
    const struct node *others = atomic_load_explicit(&f->others, memory_order_acquire);

    *total = (struct calltree_total){
        .code = f->code,
        .primitive_calls = get(&f->primitive_calls),
        .total = get(&f->total),
    };
    if (others) {
        total->calls = get(&others->calls);
        total->resumes = get(&others->resumes);
        total->errors = get(&others->errors);
        total->self = get(&others->self);
    }
}

int calltree_walk_histogram(const struct function *f, enum calltree_duration of,
                            histogram_visitor fn, void *arg) {
    const struct histogram *h = atomic_load(of == CALLTREE_LATENCY ? &f->latency : &f->histogram);

    return h ? histogram_walk(h, fn, arg) : 0;
}

void calltree_losses(const struct calltree *tree, struct calltree_losses *losses) {
    const struct tree *t = (const struct tree *)tree;

    losses->lost = get(&t->lost);
    losses->folded = get(&t->folded);
    losses->too_deep = get(&t->too_deep);
    losses->healed = get(&t->healed);
    losses->unknown = get(&t->unknown);
    losses->untimed = get(&t->untimed);
    losses->unlined = get(&t->unlined);
}
