/* SPDX-License-Identifier: Apache-2.0
 *
 * The unlikely branches of the hot path: a context that is visited first, a stack that grows, an
 * exit that does not match the top.
 */
#include "calltree/tree.h"

#include <stdlib.h>

/* A known context that enters one that is given up does not keep it: there may be memory later. */
COLD struct node *tree_visit(struct tree *t, struct node *parent, struct code_record *code) {
    bool given_up = node_is_given_up(parent);
    struct node *node = parent->hot;

    if (given_up && node->function && node->function->code == code)
        return node;
    node = nodes_visit(&t->nodes, parent, code);
    if (given_up || !node_is_given_up(node))
        parent->hot = node;
    return node;
}

/* The top frame is of a call, and not the lowest of its function, or given up. */
NOINLINE void tree_count_inner(struct tree *t, enum calltree_kind kind) {
    const struct frame *f = t->top;

    if (!frame_below(f) && kind == CALLTREE_START)
        tree_add(&f->node->function->primitive_calls, 1);
    if (f->below & FRAME_GIVEN_UP)
        tree_add(&t->lost, 1);
    else if (f->node->public.parent != &f[-1].node->public) {
        tree_add(&t->folded, 1);
        tree_stand_at(f->node, 0);
    }
}

/* The top frame, whose context is given up, ends. The caller's node keeps its time, unless that
 * one is given up as well. */
NOINLINE void tree_pop_given_up(struct tree *t, uint64_t elapsed) {
    struct frame *f = t->top;
    struct node *caller = f[-1].node;

    if (!frame_below(f))
        tree_add(&f->node->function->total, elapsed);
    if (!node_is_given_up(caller))
        tree_add(&caller->others, elapsed);
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

static struct frame *lower_frame(const struct tree *t, const struct frame *f) {
    return frame_below(f) ? tree_frame_at(t, frame_below(f)) : NULL;
}

/* Frames of one function that are not the topmost do not move on: a line that the topmost is at,
 * and another one too, is inside of itself. The two are `row->inside` and `frame->inside`, which
 * change as the frame above them gets its first line, and as it ends. */
static void first_line(struct tree *t) {
    struct frame *lower = lower_frame(t, t->top);

    if (!lower || !lower->row || lower->inside)
        return;
    lower->inside = true;
    lower->row->inside++;
}

/* Where the same line is running in a lower frame already, these ticks are in those of that one: so
 * they are taken off others by as much as they are added to self. */
void tree_line_charge(struct frame *f, uint64_t now) {
    uint64_t elapsed = f->line_start ? tree_minus(now, f->line_start) : 0;
    uint64_t self = tree_minus(elapsed, f->children - f->line_children);

    tree_add(&f->row->self, self);
    tree_add(&f->row->others, f->row->inside ? -self : elapsed - self);
}

NOINLINE void tree_line_left(struct tree *t, uint64_t now) {
    struct frame *f = t->top, *lower = lower_frame(t, f);

    tree_line_charge(f, now);
    f->row = NULL;
    f->lines = &lines_none;
    tree_stand_at(f->node, lower && lower->row && lower->node == f->node ? lower->line : 0);
    if (!lower || !lower->row || !lower->inside)
        return;
    lower->inside = false;
    lower->row->inside--;
}

static struct line_row *row_of(const struct tree *t, int32_t line) {
    struct lines *lines =
        atomic_load_explicit(&t->top->node->function->lines, memory_order_relaxed);
    uint32_t index = (uint32_t)line - (uint32_t)lines->first;

    return LIKELY(index < lines->n) ? &lines->rows[index] : NULL;
}

/* The top frame stands at a line that may have to be made; NULL: it cannot be, and the frame has
 * none. */
static struct line_row *stand_at(struct tree *t, int32_t line, uint64_t now) {
    struct frame *f = t->top;
    struct function *function = f->node->function;
    struct line_row *row = row_of(t, line);

    f->first = false;
    if (UNLIKELY(!row))
        row = lines_visit(&function->lines, function->code, line,
                          nodes_budget(&t->nodes, NODES_OF_LINES));
    if (UNLIKELY(!row)) {
        if (f->row)
            tree_line_left(t, now);
        return NULL;
    }
    if (f->row)
        tree_line_charge(f, now);
    else if (f->below)
        first_line(t);
    if (!f->below)
        f->lines = atomic_load_explicit(&function->lines, memory_order_relaxed);
    tree_line_begin(f, row, line, now);
    return row;
}

NOINLINE void tree_line_any(struct tree *t, int32_t line, uint64_t now) {
    struct line_row *row = stand_at(t, line, now);

    tree_add(LIKELY(row) ? &row->hits : &t->unlined, 1);
}

void tree_line_goes_on(struct tree *t, int32_t line, uint64_t now) {
    stand_at(t, line, now);
}

struct calltree_line tree_open_line(struct frame *f, uint64_t now, uint64_t above) {
    uint64_t elapsed = f->line_start ? tree_minus(now, f->line_start) : 0;

    if (f->inside)
        f->row->inside--;
    return (struct calltree_line){
        .code = f->node->function->code,
        .line = f->line,
        .total = f->row->inside ? 0 : elapsed,
        .self = tree_minus(elapsed, f->children - f->line_children + above),
    };
}

void tree_pop_healed(struct tree *t, const struct frame *down_to, uint64_t now) {
    while (t->top > down_to) {
        tree_pop(t, frame_end(t->top, now));
        tree_add(&t->healed, 1);
    }
}

/* The topmost frame that runs `code`, NULL when there is none. Frames of functions that there was
 * no memory for are chained together, so that their codes need to be looked through. */
static struct frame *find_frame(struct tree *t, const struct code_record *code) {
    struct function *f = nodes_function(&t->nodes, code);
    uint32_t known = f ? f->last : 0, nameless = t->nodes.nameless.last;

    while (nameless > known && tree_frame_at(t, nameless)->code != code)
        nameless = frame_below(tree_frame_at(t, nameless));
    if (known < nameless)
        known = nameless;
    return known > 0 ? tree_frame_at(t, known) : NULL;
}

COLD bool tree_find(struct tree *t, const struct code_record *code, uint64_t now) {
    struct frame *f = t->over > 0 ? NULL : find_frame(t, code);

    if (f)
        tree_pop_healed(t, f, now);
    return f != NULL;
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

/* A duration unlike those before, or where the table has another in its place. */
NOINLINE void tree_record_new(struct tree *t, const struct function *f,
                              _Atomic(struct histogram *) *place, uint64_t elapsed) {
    struct histogram *h = atomic_load_explicit(place, memory_order_relaxed);

    if (!f->code) /* any function: counted as lost already */
        return;
    if (h && histogram_insert(h, elapsed))
        return;
    h = nodes_grow_histogram(&t->nodes, place);
    if (!h || !histogram_insert(h, elapsed))
        tree_add(&t->untimed, 1);
}

NOINLINE void tree_record_latency(struct tree *t, uint64_t latency) {
    struct function *f = t->top->node->function;

    tree_record_new(t, f, &f->latency, latency);
}
