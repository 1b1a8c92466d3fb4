/* SPDX-License-Identifier: Apache-2.0
 *
 * Random programs, with events missing, invented and out of order.
 */
#ifndef CALLTREE_PROGRAM_H
#define CALLTREE_PROGRAM_H

#include "calltree_model.h"

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

static const struct mood s_rough = {20, 2, 1, 5, 10, 12};

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

/* One event on both: they must return the same. */
static void step(struct calltree *t, struct model *m, const struct event *e) {
    struct calltree_done got = {0}, wanted = {0};
    CHECK_EQUAL(apply(t, e, &got), apply_to_model(m, e, &wanted));
    CHECK_EQUAL(got.elapsed, wanted.elapsed);
    CHECK_EQUAL(got.self, wanted.self);
    CHECK_EQUAL(got.depth, wanted.depth);
    CHECK_EQUAL(got.partial, wanted.partial);
    CHECK_EQUAL(calltree_depth(t), m->top);
}

static int sum_total(const struct calltree_total *t, void *arg) {
    uint64_t *sums = arg;
    sums[0] += t->calls;
    sums[1] += t->resumes;
    sums[2] += t->errors;
    sums[3] += t->self;
    return 0;
}

#endif
