/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a call tree, and its hot path, inline: for calltree.c, and for callbacks that do
 * nothing else. The contracts are those of calltree_enter() and calltree_exit() in calltree.h. The
 * owner calls everything here.
 *
 * stack[0] is a frame of the node "(thread)" that no exit matches (its code is NULL), so that there
 * is always a top and a frame below a frame. Frames that run one function are chained from the top
 * down (function->last, frame->below): an exit finds its frame, or that there is none, without a
 * scan of the stack.
 *
 * Beyond the depth limit (or where the stack cannot grow) frames are only numbered: t->over counts
 * them, and one more frame that no exit matches stands for them all on the top. There is always
 * room for it.
 *
 * Private to: calltree, capture/tracking_inline.h, memory/where.h
 */
#ifndef PYUSDT_CALLTREE_TREE_H
#define PYUSDT_CALLTREE_TREE_H

#include "base/compiler.h"
#include "calltree/calltree_types.h"
#include "calltree/nodes.h"

#define FRAME_GIVEN_UP 1u
#define FRAME_UNKNOWN UINT64_MAX

struct frame {
    struct node *node;
    const struct code_record *code; /* only compared: in nodes.others it is not pinned */
    const void *key;                /* only compared: what the caller knows it by, or NULL */
    uint64_t start;                 /* 0: without a time; the next two are undefined then */
    uint64_t children;              /* ticks of the frames above that have been closed */
    uint64_t began; /* its first entry, where that was another one; 0, or FRAME_UNKNOWN */
    uint32_t below; /* see frame_below(); with FRAME_GIVEN_UP where the node is */
    int32_t line;   /* at which it stands; it and the next two are undefined without a row */
    uint64_t line_start;
    uint64_t line_children; /* of `children`, those of its earlier lines */
    struct line_row *row;   /* of its line; NULL: none */
    bool partial;
    bool leaf;   /* a function in C */
    bool inside; /* it is counted in row->inside */
};

struct tree {
    struct calltree public;
    struct frame *top;   /* what follows is the owner's but for `nodes` and `losses` */
    struct frame *limit; /* the last frame that there is room for */
    struct frame *stack; /* owned; one more than stack..limit, see calltree.c */
    uint32_t depth_limit;
    uint32_t over;
    _Atomic uint64_t lost, folded, too_deep, healed, unknown, untimed, unlined;
    struct nodes nodes;
};

/* A place on the stack is counted in bytes. */
ALWAYS_INLINE uint32_t tree_place_of(const struct tree *t, const struct frame *f) {
    return (uint32_t)((const char *)f - (const char *)t->stack);
}

static inline struct frame *tree_frame_at(const struct tree *t, uint32_t place) {
    return (struct frame *)((char *)t->stack + place);
}

/* Place of the next lower frame of the same function, 0: none. */
static inline uint32_t frame_below(const struct frame *f) {
    return f->below & ~FRAME_GIVEN_UP;
}

/* The end of a segment that would end at `now`: the same as its start where that has no time. */
static inline uint64_t frame_end(const struct frame *f, uint64_t now) {
    return f->start ? now : 0;
}

/* The unlikely branches. Owner. */
struct node *tree_visit(struct tree *t, struct node *parent, struct code_record *code);
bool tree_make_room(struct tree *t);
/* The same, for what is no exit: where no frame matches, nothing is wrong. */
bool tree_find(struct tree *t, const struct code_record *code, uint64_t now);
bool tree_heal(struct tree *t, const struct code_record *code, uint64_t now);
void tree_record_new(struct tree *t, const struct function *f, _Atomic(struct histogram *) *place,
                     uint64_t elapsed);
/* Counts how long the top frame, which has been resumed, took since its first entry. */
void tree_record_latency(struct tree *t, uint64_t latency);
void tree_count_inner(struct tree *t, enum calltree_kind kind);
void tree_pop_given_up(struct tree *t, uint64_t elapsed);
/* The line of the top frame, which has one, ends as the frame does. */
void tree_line_left(struct tree *t, uint64_t now);
/* The top frame comes to a line, or goes on at one. */
void tree_line_any(struct tree *t, int32_t line, uint64_t now);
void tree_line_goes_on(struct tree *t, int32_t line, uint64_t now);
/* What calltree_walk_open_lines() reports of the frame's line, which it has; `above`: ticks of what
 * it is calling. A frame that is counted in row->inside is so no longer. */
struct calltree_line tree_open_line(struct frame *f, uint64_t now, uint64_t above);
/* Charges the ticks of the frame's line, which it has. */
void tree_line_charge(struct frame *f, uint64_t now);
void tree_pop_healed(struct tree *t, const struct frame *down_to, uint64_t now);

/* One writer: a plain add, no locked one. */
ALWAYS_INLINE void tree_add(_Atomic uint64_t *counter, uint64_t n) {
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed) + n;

    atomic_store_explicit(counter, value, memory_order_relaxed);
}

ALWAYS_INLINE uint64_t tree_minus(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

ALWAYS_INLINE void tree_set_top(struct tree *t, struct frame *top) {
    t->top = top;
    atomic_store_explicit(&t->public.current, &top->node->public, memory_order_release);
}

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
    f->partial = f->leaf = f->inside = false;
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

    if (UNLIKELY(f->row))
        tree_line_left(t, now);
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

/* The top frame, just pushed, is of a call. */
ALWAYS_INLINE void tree_count(struct tree *t, struct node *node, enum calltree_kind kind) {
    tree_add(kind == CALLTREE_START ? &node->calls : &node->resumes, 1);
    if (UNLIKELY(t->top->below))
        tree_count_inner(t, kind);
    else if (kind == CALLTREE_START)
        tree_add(&node->function->primitive_calls, 1);
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
    tree_count(t, node, kind);
}

/* The same without a time. */
ALWAYS_INLINE void tree_enter_untimed(struct calltree *tree, struct code_record *code,
                                      const void *key, enum calltree_kind kind) {
    struct tree *t = (struct tree *)tree;
    struct node *node = tree_place(t, code, key);

    if (LIKELY(node))
        tree_count(t, node, kind);
}

/* The function on the top calls the one in C of `code`. */
ALWAYS_INLINE void tree_enter_c(struct calltree *tree, struct code_record *code, const void *key,
                                uint64_t now) {
    struct tree *t = (struct tree *)tree;
    struct node *node = tree_push(t, code, key, now);

    if (UNLIKELY(!node))
        return;
    tree_count(t, node, CALLTREE_START);
    t->top->leaf = true;
}

/* The same without a time. */
ALWAYS_INLINE void tree_enter_c_untimed(struct calltree *tree, struct code_record *code,
                                        const void *key) {
    struct tree *t = (struct tree *)tree;
    struct node *node = tree_place(t, code, key);

    if (UNLIKELY(!node))
        return;
    tree_count(t, node, CALLTREE_START);
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

ALWAYS_INLINE void tree_stand_at(struct node *node, int32_t line) {
    __atomic_store_n(&node->public.current_line, line, __ATOMIC_RELAXED);
}

/* The frame stands at the line of `row`, from `now` on. */
ALWAYS_INLINE void tree_line_begin(struct frame *f, struct line_row *row, int32_t line,
                                   uint64_t now) {
    f->row = row;
    f->line = line;
    f->line_start = now;
    /* An atomic one, so that it is not stored together with the other: two that lie across a cache
     * line are slow to be read again one by one, as they are at the next line. */
    __atomic_store_n(&f->line_children, f->children, __ATOMIC_RELAXED);
    tree_stand_at(f->node, line);
}

/* The top frame, with this key, comes to a line, at `now`, 0 without a time: false where another
 * one is on the top. Calls nothing where the frame goes on from line to line, and its function is
 * on the stack once. */
ALWAYS_INLINE bool tree_line(struct calltree *tree, const void *key, int32_t line, uint64_t now) {
    struct tree *t = (struct tree *)tree;
    struct frame *f = t->top;
    struct line_row *row = f->row;
    struct lines *lines;
    uint32_t index;
    uint64_t elapsed, children, self;

    if (UNLIKELY(f->key != key))
        return false;
    lines = atomic_load_explicit(&f->node->function->lines, memory_order_relaxed);
    index = (uint32_t)line - (uint32_t)lines->first;
    if (UNLIKELY(index >= lines->n || !row || f->below)) {
        tree_line_any(t, line, now);
        return true;
    }
    if (now) {
        elapsed = tree_minus(now, f->line_start);
        children = f->children - f->line_children;
        self = tree_minus(elapsed, children);
        tree_add(&row->self, self);
        if (children)
            tree_add(&row->others, elapsed - self);
    }
    tree_add(&lines->rows[index].hits, 1);
    tree_line_begin(f, &lines->rows[index], line, now);
    return true;
}

/* An exception is raised in the top frame, or comes out of what it called: whether it has this key,
 * and a line. */
ALWAYS_INLINE bool tree_error(struct calltree *tree, const void *key) {
    struct frame *f = ((struct tree *)tree)->top;
    uint32_t errors;

    if (UNLIKELY(f->key != key || !f->row))
        return false;
    errors = atomic_load_explicit(&f->row->errors, memory_order_relaxed);
    if (LIKELY(errors < UINT32_MAX))
        atomic_store_explicit(&f->row->errors, errors + 1, memory_order_relaxed);
    return true;
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
