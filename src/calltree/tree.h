/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a call tree, and its hot path, inline: for calltree.c, and for callbacks that do
 * nothing else. The contracts are those of calltree_enter() and calltree_exit() in calltree.h. The
 * owner calls everything here.
 *
 * Private to: calltree, capture/tracking_inline.h, memory/where.h
 */
#ifndef PYUSDT_CALLTREE_TREE_H
#define PYUSDT_CALLTREE_TREE_H

#include "calltree/frames.h"

/* The context of `code` called from the top frame, if it has one: the last one that was entered
 * from there, or, where that calls this and that, by the table. NULL: tree_visit() knows. */
ALWAYS_INLINE struct node *tree_known(const struct tree *t, const struct code_record *code) {
    struct node *parent = t->top->node, *node = parent->hot;

    if (LIKELY(node->public.id == code->id))
        return node;
    node = nodes_peek(&t->nodes, parent, code->id);
    if (LIKELY(node))
        parent->hot = node;
    return node;
}

/* A frame on the top, of which times are not set. NULL when there is no room. */
ALWAYS_INLINE struct node *tree_place(struct tree *t, struct code_record *code, const void *key) {
    struct node *node;
    struct frame *f;
    uint32_t mark = 0;

    if (UNLIKELY(t->top >= t->limit) && !tree_make_room(t))
        return NULL;
    node = tree_known(t, code);
    if (UNLIKELY(!node)) {
        node = tree_visit(t, t->top->node, code);
        mark = node_is_given_up(node) ? FRAME_GIVEN_UP : 0;
    }
    f = t->top + 1;
    f->node = node;
    f->code = code;
    f->key = key;
    f->start = 0;
    f->below = node->function->last | mark;
    f->row = NULL;
    f->lines = &lines_none;
    f->first = f->partial = f->leaf = f->inside = false;
    node->function->last = tree_place_of(t, f);
    tree_set_top(t, f);
    return node;
}

/* NULL when there is no room. */
ALWAYS_INLINE struct node *tree_push(struct tree *t, struct code_record *code, const void *key,
                                     uint64_t now) {
    struct node *node = tree_place(t, code, key);

    if (UNLIKELY(!node))
        return NULL;
    t->top->start = now;
    t->top->children = t->top->began = 0;
    return node;
}

/* Charges the ticks of the top frame, which are returned. */
ALWAYS_INLINE uint64_t tree_charge(struct tree *t, uint64_t now) {
    struct frame *f = t->top;
    uint64_t elapsed = tree_minus(now, f->start);

    tree_add(&f->node->self, tree_minus(elapsed, f->children));
    if (LIKELY(!f->below))
        tree_add(&f->node->function->total, elapsed);
    else if (UNLIKELY(f->below & FRAME_GIVEN_UP))
        tree_pop_given_up(t, elapsed);
    f[-1].children += elapsed;
    return elapsed;
}

ALWAYS_INLINE void tree_drop(struct tree *t, uint64_t now) {
    struct frame *f = t->top;

    if (f->row && LIKELY(!f->below)) {
        tree_line_end(f, now);
        tree_stand_at(f->node, 0);
    } else if (UNLIKELY(f->row)) {
        tree_line_left(t, now);
    }
    f->node->function->last = frame_below(f);
    tree_set_top(t, f - 1);
}

/* Takes the top frame off and charges its ticks, which are returned. */
ALWAYS_INLINE uint64_t tree_pop(struct tree *t, uint64_t now) {
    uint64_t elapsed = tree_charge(t, now);

    tree_drop(t, now);
    return elapsed;
}

ALWAYS_INLINE void tree_record(struct tree *t, struct function *f, uint64_t elapsed) {
    struct histogram *h = atomic_load_explicit(&f->histogram, memory_order_relaxed);

    if (UNLIKELY(!h) || UNLIKELY(!histogram_count(h, elapsed)))
        tree_record_new(t, f, &f->histogram, elapsed);
}

/* The top frame, just pushed, is of a call. CPython reports its first line right after it. */
ALWAYS_INLINE void tree_count(struct tree *t, struct node *node, const struct code_record *code,
                              enum calltree_kind kind) {
    tree_add(kind == CALLTREE_START ? &node->calls : &node->resumes, 1);
    if (UNLIKELY(t->top->below))
        tree_count_inner(t, kind);
    else if (kind == CALLTREE_START)
        tree_add(&node->function->primitive_calls, 1);
    t->top->first = kind == CALLTREE_START && code->local;
}

/* As calltree_enter(). An exit with the same key, not NULL, is that of this frame. */
ALWAYS_INLINE void tree_enter(struct calltree *tree, struct code_record *code, const void *key,
                              uint64_t now, enum calltree_kind kind) {
    struct tree *t = (struct tree *)tree;
    struct node *node = tree_push(t, code, key, now);

    if (UNLIKELY(!node))
        return;
    if (kind != CALLTREE_START)
        t->top->began = FRAME_UNKNOWN;
    tree_count(t, node, code, kind);
}

/* The same without a time. */
ALWAYS_INLINE void tree_enter_untimed(struct calltree *tree, struct code_record *code,
                                      const void *key, enum calltree_kind kind) {
    struct tree *t = (struct tree *)tree;
    struct node *node = tree_place(t, code, key);

    if (LIKELY(node))
        tree_count(t, node, code, kind);
}

/* The function on the top calls the one in C of `code`. */
ALWAYS_INLINE void tree_enter_c(struct calltree *tree, struct code_record *code, const void *key,
                                uint64_t now) {
    struct tree *t = (struct tree *)tree;
    struct node *node = tree_push(t, code, key, now);

    if (UNLIKELY(!node))
        return;
    tree_count(t, node, code, CALLTREE_START);
    t->top->leaf = true;
}

/* The same without a time. */
ALWAYS_INLINE void tree_enter_c_untimed(struct calltree *tree, struct code_record *code,
                                        const void *key) {
    struct tree *t = (struct tree *)tree;
    struct node *node = tree_place(t, code, key);

    if (UNLIKELY(!node))
        return;
    tree_count(t, node, code, CALLTREE_START);
    t->top->leaf = true;
}

/* Closes the top frame, whose exit this is: its ticks. */
ALWAYS_INLINE uint64_t tree_close(struct tree *t, uint64_t now, enum calltree_outcome outcome) {
    const struct frame *f = t->top;
    uint64_t elapsed = tree_pop(t, now);

    if (outcome == CALLTREE_UNWIND)
        tree_add(&f->node->errors, 1);
    if (atomic_load_explicit(&t->public.record, memory_order_relaxed) && !f->partial)
        tree_record(t, f->node->function, elapsed);
    return elapsed;
}

/* The same, and what function__done reports of it. */
ALWAYS_INLINE void tree_close_done(struct tree *t, uint64_t now, enum calltree_outcome outcome,
                                   struct calltree_done *done) {
    const struct frame *f = t->top;

    done->depth = (uint32_t)(f - t->stack);
    done->partial = f->partial;
    done->elapsed = tree_close(t, now, outcome);
    done->self = tree_minus(done->elapsed, f->children);
}

ALWAYS_INLINE const struct frame *tree_top(const struct calltree *tree) {
    return ((const struct tree *)tree)->top;
}

/* As calltree_exit(), for a frame with this key: whether it was on the top. */
ALWAYS_INLINE bool tree_exit(struct calltree *tree, const void *key, uint64_t now,
                             enum calltree_outcome outcome) {
    struct tree *t = (struct tree *)tree;

    if (UNLIKELY(t->top->key != key))
        return false;
    tree_close(t, now, outcome);
    return true;
}

/* The same without a time. */
ALWAYS_INLINE bool tree_exit_untimed(struct calltree *tree, const void *key,
                                     enum calltree_outcome outcome) {
    struct tree *t = (struct tree *)tree;
    struct frame *f = t->top;

    if (UNLIKELY(f->key != key))
        return false;
    if (outcome == CALLTREE_UNWIND)
        tree_add(&f->node->errors, 1);
    tree_drop(t, 0);
    return true;
}

/* As tree_exit(), with what function__done reports of it. Its code record, NULL where it was not on
 * the top: the record is alive where the code object of that key is. */
ALWAYS_INLINE const struct code_record *tree_exit_done(struct calltree *tree, const void *key,
                                                       uint64_t now, enum calltree_outcome outcome,
                                                       struct calltree_done *done) {
    struct tree *t = (struct tree *)tree;
    const struct code_record *code = t->top->code;

    if (UNLIKELY(t->top->key != key))
        return NULL;
    tree_close_done(t, now, outcome, done);
    return code;
}

#endif
