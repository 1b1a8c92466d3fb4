/* SPDX-License-Identifier: Apache-2.0
 *
 * The stack of a call tree, and the lines at which its frames stand. The owner calls everything
 * here.
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
 * Private to: calltree, capture/tracking_inline.h
 */
#ifndef PYUSDT_CALLTREE_FRAMES_H
#define PYUSDT_CALLTREE_FRAMES_H

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
    struct lines *lines;    /* of its function, where tree_line() may find it */
    bool first;             /* entered by a call, and no line of it was reported yet */
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

ALWAYS_INLINE void tree_stand_at(struct node *node, int32_t line) {
    __atomic_store_n(&node->public.current_line, line, __ATOMIC_RELAXED);
}

/* Charges the ticks of the line of the frame, the lowest of its function. */
ALWAYS_INLINE void tree_line_end(struct frame *f, uint64_t now) {
    uint64_t elapsed, children, self;

    if (!now || UNLIKELY(!f->line_start))
        return;
    elapsed = tree_minus(now, f->line_start);
    children = f->children - f->line_children;
    self = tree_minus(elapsed, children);
    tree_add(&f->row->self, self);
    if (children)
        tree_add(&f->row->others, elapsed - self);
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
    struct lines *lines;
    uint32_t index;

    if (UNLIKELY(f->key != key))
        return false;
    lines = f->lines;
    index = (uint32_t)line - (uint32_t)lines->first;
    if (UNLIKELY(index >= lines->n)) {
        tree_line_any(t, line, now);
        return true;
    }
    tree_line_end(f, now);
    tree_add(&lines->rows[index].hits, 1);
    tree_line_begin(f, &lines->rows[index], line, now);
    return true;
}

/* Whether the top frame has this key, and has done nothing yet: its first line begins as it does
 * itself, so that no clock has to be read. */
ALWAYS_INLINE bool tree_is_at_first_line(const struct calltree *tree, const void *key) {
    const struct frame *f = ((const struct tree *)tree)->top;

    return f->first && f->key == key && !f->children;
}

/* It comes to that line. */
ALWAYS_INLINE void tree_first_line(struct calltree *tree, int32_t line) {
    struct tree *t = (struct tree *)tree;
    struct frame *f = t->top;
    struct lines *lines = atomic_load_explicit(&f->node->function->lines, memory_order_relaxed);
    uint32_t index = (uint32_t)line - (uint32_t)lines->first;

    if (UNLIKELY(index >= lines->n || f->below)) {
        tree_line_any(t, line, f->start);
        return;
    }
    f->first = false;
    f->lines = lines;
    tree_add(&lines->rows[index].hits, 1);
    tree_line_begin(f, &lines->rows[index], line, f->start);
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

#endif
