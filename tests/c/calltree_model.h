/* SPDX-License-Identifier: Apache-2.0
 *
 * A call tree without any cleverness, to compare the real one with: linear searches, no bounds but
 * those of its arrays.
 */
#ifndef CALLTREE_MODEL_H
#define CALLTREE_MODEL_H

#include "calltree_under_test.h"

#define MODEL_NODES 60000
#define MODEL_FRAMES 1000

struct model_node {
    int parent, code;
    int children[CODES]; /* 0: none */
    uint64_t calls, resumes, errors, self;
};

/* Of a code, whatever becomes of its contexts. */
struct model_total {
    uint64_t calls, primitive_calls, resumes, errors, total, self;
};

struct model_frame {
    int node, code;
    uint64_t start, children;
    bool partial;
};

struct model {
    struct model_node nodes[MODEL_NODES]; /* in the order of appearance; 0 is the thread */
    int n_nodes;
    struct model_frame frames[MODEL_FRAMES]; /* 0 is the thread's */
    int top;
    uint64_t healed, unknown, folded;
    struct model_total totals[CODES];
    uint64_t recorded[CODES]; /* segments that belong into a histogram */
};

static void model_init(struct model *m) {
    memset(m, 0, sizeof(*m));
    m->n_nodes = 1;
}

/* The nearest context of `code` that `node` is in, where there are eight. */
static int model_fold(const struct model *m, int node, int code) {
    int nearest = 0, found = 0;
    for (; node > 0; node = m->nodes[node].parent) {
        if (m->nodes[node].code != code)
            continue;
        nearest = nearest > 0 ? nearest : node;
        found++;
    }
    return found >= 8 ? nearest : 0;
}

static void model_push(struct model *m, int code, uint64_t now, bool partial) {
    int parent = m->frames[m->top].node;
    int *child = &m->nodes[parent].children[code];
    int node = *child != 0 ? *child : model_fold(m, parent, code);
    if (node == 0) {
        CHECK(m->n_nodes < MODEL_NODES);
        node = *child = m->n_nodes++;
        m->nodes[node].parent = parent;
        m->nodes[node].code = code;
    }
    CHECK(m->top + 1 < MODEL_FRAMES);
    m->folded += !partial && m->nodes[node].parent != parent;
    m->frames[++m->top] = (struct model_frame){node, code, now, 0, partial};
}

static bool model_is_below_itself(const struct model *m) {
    for (int i = 1; i < m->top; i++)
        if (m->frames[i].code == m->frames[m->top].code)
            return true;
    return false;
}

static void model_enter(struct model *m, int code, uint64_t now, enum calltree_kind kind) {
    model_push(m, code, now, false);
    struct model_node *node = &m->nodes[m->frames[m->top].node];
    struct model_total *total = &m->totals[code];
    if (kind == CALLTREE_START) {
        node->calls++;
        total->calls++;
        total->primitive_calls += !model_is_below_itself(m);
    } else {
        node->resumes++;
        total->resumes++;
    }
}

static void model_pop(struct model *m, uint64_t now, struct calltree_done *done) {
    struct model_frame *f = &m->frames[m->top];
    done->elapsed = now > f->start ? now - f->start : 0;
    done->self = done->elapsed > f->children ? done->elapsed - f->children : 0;
    done->depth = (uint32_t)m->top;
    done->partial = f->partial;
    m->nodes[f->node].self += done->self;
    m->totals[f->code].self += done->self;
    m->totals[f->code].total += model_is_below_itself(m) ? 0 : done->elapsed;
    m->frames[--m->top].children += done->elapsed;
}

static int model_exit(struct model *m, int code, uint64_t now, enum calltree_outcome outcome,
                      struct calltree_done *done) {
    int found = m->top;
    while (found > 0 && m->frames[found].code != code)
        found--;
    if (found == 0) {
        m->unknown++;
        return 0;
    }
    struct calltree_done ignored;
    for (; m->top > found; m->healed++)
        model_pop(m, now, &ignored);
    if (outcome == CALLTREE_UNWIND) {
        m->nodes[m->frames[m->top].node].errors++;
        m->totals[code].errors++;
    }
    model_pop(m, now, done);
    if (!done->partial)
        m->recorded[code]++;
    return 1;
}

static void model_take_over(struct model *m, const int codes[], int n, uint64_t now) {
    struct calltree_done ignored;
    int agree = 0;
    while (agree < n && agree < m->top && m->frames[agree + 1].code == codes[agree])
        agree++;
    for (; m->top > agree; m->healed++)
        model_pop(m, now, &ignored);
    for (; agree < n; agree++)
        model_push(m, codes[agree], now, true);
}

static void model_reset(struct model *m) {
    for (int i = 0; i < m->n_nodes; i++) {
        struct model_node *node = &m->nodes[i];
        node->calls = node->resumes = node->errors = node->self = 0;
    }
    memset(m->recorded, 0, sizeof(m->recorded));
    memset(m->totals, 0, sizeof(m->totals));
    m->frames[0].children = m->healed = m->unknown = m->folded = 0;
    m->top = 0;
}

#endif
