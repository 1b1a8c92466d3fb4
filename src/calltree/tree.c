/* SPDX-License-Identifier: Apache-2.0
 *
 * The unlikely branches of the hot path: a context that is visited first, a stack that grows, an
 * exit that does not match the top.
 */
#include "calltree/tree.h"

#include <stdlib.h>

COLD struct node *tree_visit(struct tree *t, struct node *parent, struct code_record *code) {
    struct node *node = nodes_visit(&t->nodes, parent, code);

    if (!node) {
        tree_add(&t->lost, 1);
        return &t->nodes.others;
    }
    parent->hot = node;
    return node;
}

static bool grow_stack(struct tree *t) {
    size_t top = (size_t)(t->top - t->stack), room = 2 * (size_t)(t->limit - t->stack);
    struct frame *stack;

    if (room > t->depth_limit)
        room = t->depth_limit;
    if (top >= room)
        return false;
    stack = realloc(t->stack, (room + 2) * sizeof *stack);
    if (!stack)
        return false;
    t->stack = stack;
    t->top = stack + top;
    t->limit = stack + room;
    return true;
}

/* True when there is room for a frame now; otherwise the entry is numbered only. */
COLD bool tree_make_room(struct tree *t) {
    if (t->over == 0 && grow_stack(t))
        return true;
    if (t->over++ == 0) {
        struct frame *f = ++t->top;

        *f = (struct frame){.node = f[-1].node};
    }
    tree_add(&t->too_deep, 1);
    return false;
}

void tree_pop_healed(struct tree *t, const struct frame *down_to, uint64_t now) {
    while (t->top > down_to) {
        tree_pop(t, now);
        tree_add(&t->healed, 1);
    }
}

/* The topmost frame that runs `code`, NULL when there is none. Above a frame under "(others)" are
 * only such frames; they share a function, so that their codes need to be looked through. */
static struct frame *find_frame(struct tree *t, const struct code_record *code) {
    uint32_t i = t->nodes.others_codes.last;

    while (i > 0 && tree_frame_at(t, i)->code != code)
        i = tree_frame_at(t, i)->below;
    if (i == 0) {
        struct function *f = nodes_function(&t->nodes, code);

        i = f ? f->last : 0;
    }
    return i > 0 ? tree_frame_at(t, i) : NULL;
}

/* True when the top frame is that of `code` now. */
COLD bool tree_heal(struct tree *t, const struct code_record *code, uint64_t now) {
    struct frame *f;

    if (t->over > 0) {
        if (--t->over == 0)
            t->top--;
        return false;
    }
    f = find_frame(t, code);
    if (!f) {
        tree_add(&t->unknown, 1);
        return false;
    }
    tree_pop_healed(t, f, now);
    return true;
}

COLD struct histogram *tree_new_histogram(struct tree *t, struct function *f) {
    struct histogram *h;

    if (!f->code) /* "(others)": many functions, which are counted as lost already */
        return NULL;
    h = nodes_histogram(&t->nodes, f);
    if (!h)
        tree_add(&t->untimed, 1);
    return h;
}
