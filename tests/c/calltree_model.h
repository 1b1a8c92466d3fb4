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
    uint64_t calls, resumes, errors, elapsed, self;
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
    uint64_t healed, unknown;
    uint64_t recorded[CODES]; /* segments that belong into a histogram */
};

static void model_init(struct model *m) {
    memset(m, 0, sizeof(*m));
    m->n_nodes = 1;
}

static void model_push(struct model *m, int code, uint64_t now, bool partial) {
    int parent = m->frames[m->top].node;
    int *child = &m->nodes[parent].children[code];
    if (*child == 0) {
        CHECK(m->n_nodes < MODEL_NODES);
        *child = m->n_nodes++;
        m->nodes[*child].parent = parent;
        m->nodes[*child].code = code;
    }
    CHECK(m->top + 1 < MODEL_FRAMES);
    m->frames[++m->top] = (struct model_frame){*child, code, now, 0, partial};
}

static void model_enter(struct model *m, int code, uint64_t now, enum calltree_kind kind) {
    model_push(m, code, now, false);
    struct model_node *node = &m->nodes[m->frames[m->top].node];
    if (kind == CALLTREE_START)
        node->calls++;
    else
        node->resumes++;
}

static void model_pop(struct model *m, uint64_t now, struct calltree_done *done) {
    struct model_frame *f = &m->frames[m->top];
    done->elapsed = now > f->start ? now - f->start : 0;
    done->self = done->elapsed > f->children ? done->elapsed - f->children : 0;
    done->depth = (uint32_t)m->top;
    done->partial = f->partial;
    m->nodes[f->node].elapsed += done->elapsed;
    m->nodes[f->node].self += done->self;
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
    if (outcome == CALLTREE_UNWIND)
        m->nodes[m->frames[m->top].node].errors++;
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
        node->calls = node->resumes = node->errors = node->elapsed = node->self = 0;
    }
    memset(m->recorded, 0, sizeof(m->recorded));
    m->frames[0].children = m->healed = m->unknown = 0;
    m->top = 0;
}

#endif
