/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "follow.h"

/* What changes the rate by less is measuring noise: nodes at rest keep their figures then. */
#define RATE_NOISE 2e-4

#define BOOTSTRAP "Thread._bootstrap"

/* The figures of a node, by its index. */
struct row {
    uint32_t id;
    uint32_t parent;
    uint64_t calls, resumes, errors, elapsed, self;
};

struct snapshot {
    PyObject *functions, *threads, *nodes, *histograms; /* functions is borrowed */
    uint64_t now;
    struct calltree_losses losses;
    struct thread *thread; /* that is read */
    struct row *rows;      /* of this thread */
    size_t n_rows, room;
    bool whole;  /* all that this thread did was in Thread._bootstrap */
    bool failed; /* with an exception set */
};

/* Written under the GIL. */
static double s_ns_per_tick;
static int s_bucket_of[HISTOGRAM_BUCKETS]; /* of ticks to that of ns: one answer for ever, so that
                                              counts only grow; valid once a rate is known */

static int bucket_of(double ns) {
    uint64_t n = ns < 0x1p63 ? (uint64_t)ns : (uint64_t)1 << 63;
    unsigned power = n < 4 ? 0 : 63u - (unsigned)__builtin_clzll(n);

    return n < 4 ? (int)n : (int)((uint64_t)(power - 1) * 4 + ((n >> (power - 2)) & 3));
}

static double refined_rate(void) {
    double rate = (double)clock_ns((uint64_t)1 << 40) / 0x1p40;
    double change = rate / s_ns_per_tick - 1;

    if (s_ns_per_tick == 0) {
        for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
            s_bucket_of[b] =
                bucket_of(((double)histogram_low(b) + (double)histogram_low(b + 1)) / 2 * rate);
        s_ns_per_tick = rate;
    } else if (change > RATE_NOISE || change < -RATE_NOISE) {
        s_ns_per_tick = rate;
    }
    return s_ns_per_tick;
}

/* Appends `row` (a new reference; NULL: it could not be made) to `list`. */
static int append(PyObject *list, PyObject *row) {
    int error = row ? PyList_Append(list, row) : -1;

    Py_XDECREF(row);
    return error;
}

static int keep_row(const struct calltree_sample *sample, void *snapshot) {
    struct snapshot *s = snapshot;
    const struct pyusdt_node *node = sample->node;

    if (node->depth == 1 && node->id != PYUSDT_ID_OTHERS && strcmp(node->qualname, BOOTSTRAP) != 0)
        s->whole = false;
    if (s->n_rows == s->room) {
        size_t room = s->room ? 2 * s->room : 256;
        struct row *rows = realloc(s->rows, room * sizeof *rows);

        if (!rows)
            return -1;
        s->rows = rows;
        s->room = room;
    }
    s->rows[s->n_rows++] = (struct row){node->id,       node->parent ? node->parent->index : 0,
                                        sample->calls,  sample->resumes,
                                        sample->errors, sample->elapsed,
                                        sample->self};
    return 0;
}

static int add_open(const struct calltree_sample *sample, void *snapshot) {
    struct row *row = &((struct snapshot *)snapshot)->rows[sample->node->index];

    row->elapsed += sample->elapsed;
    row->self += sample->self;
    return 0;
}

static PyObject *text(const char *s) {
    return PyUnicode_DecodeUTF8(s, (Py_ssize_t)strlen(s), "backslashreplace");
}

static PyObject *function_row(const struct pyusdt_node *node, const struct code_record *code) {
    return Py_BuildValue("(kNNNNi)", (unsigned long)node->id, text(node->module),
                         text(node->qualname), text(code ? code->function : node->qualname),
                         text(node->file), (int)node->line);
}

static int add_function(const struct calltree_sample *sample, void *snapshot) {
    struct snapshot *s = snapshot;
    PyObject *id, *row = NULL;
    int ret = -1;

    if (sample->node->index == 0)
        return 0;
    id = PyLong_FromUnsignedLong(sample->node->id);
    if (!id)
        return -1;
    if (PyDict_GetItemWithError(s->functions, id)) {
        ret = 0;
    } else if (!PyErr_Occurred()) {
        row = function_row(sample->node, sample->code);
        ret = row ? PyDict_SetItem(s->functions, id, row) : -1;
    }
    Py_DECREF(id);
    Py_XDECREF(row);
    return ret;
}

static int add_nodes(struct snapshot *s) {
    for (size_t i = 1; i < s->n_rows; i++) {
        const struct row *r = &s->rows[i];
        PyObject *row = Py_BuildValue("(IkikKKKKK)", s->thread->serial, (unsigned long)i,
                                      r->parent ? (int)r->parent : -1, (unsigned long)r->id,
                                      (unsigned long long)r->calls, (unsigned long long)r->resumes,
                                      (unsigned long long)r->errors, (unsigned long long)r->elapsed,
                                      (unsigned long long)r->self);

        if (append(s->nodes, row) < 0)
            return -1;
    }
    return 0;
}

static int add_histogram(const struct code_record *code, const uint32_t counts[HISTOGRAM_BUCKETS],
                         void *snapshot) {
    struct snapshot *s = snapshot;

    for (int b = 0; b < HISTOGRAM_BUCKETS; b++)
        if (counts[b] && append(s->histograms,
                                Py_BuildValue("(IkiI)", s->thread->serial, (unsigned long)code->id,
                                              s_bucket_of[b], counts[b])) < 0)
            return -1;
    return 0;
}

/* A thread of Python's threading is over when Thread._bootstrap is: what the interpreter and the C
 * library have to do after that is not the program's. */
static uint64_t elapsed_of(const struct snapshot *s, uint64_t end) {
    const struct thread *t = s->thread;
    uint64_t elapsed = 0;

    if (!t->ended || !s->whole)
        return t->spent + (end > t->began ? end - t->began : 0);
    for (size_t i = 1; i < s->n_rows; i++)
        if (s->rows[i].parent == 0)
            elapsed += s->rows[i].elapsed;
    return elapsed;
}

static int add_thread(struct snapshot *s, uint64_t end) {
    const struct thread *t = s->thread;
    uint64_t elapsed = elapsed_of(s, end);

    return append(s->threads,
                  Py_BuildValue("(IkINK)", t->serial, t->ended ? 0 : t->ident, t->tree->tid,
                                text(t->tree->name), (unsigned long long)elapsed));
}

static void add_losses(struct snapshot *s) {
    struct calltree_losses losses;

    calltree_losses(s->thread->tree, &losses);
    s->losses.lost += losses.lost;
    s->losses.too_deep += losses.too_deep;
    s->losses.healed += losses.healed;
    s->losses.unknown += losses.unknown;
    s->losses.untimed += losses.untimed;
}

static void read_thread(struct thread *thread, void *snapshot) {
    struct snapshot *s = snapshot;
    uint64_t end = thread->ended ? thread->ended_at : s->now;

    /* One that is kept may have been given to a thread whose frames are not known yet. */
    if (s->failed || (thread->epoch != follow_epoch && thread->kept != follow_epoch))
        return;
    s->thread = thread;
    s->n_rows = 0;
    s->whole = true;
    s->failed = true;
    if (calltree_walk(thread->tree, keep_row, s) < 0) {
        PyErr_NoMemory();
        return;
    }
    calltree_walk_open(thread->tree, end, add_open, s);
    if (add_thread(s, end) < 0 || calltree_walk(thread->tree, add_function, s) < 0 ||
        add_nodes(s) < 0 || calltree_walk_functions(thread->tree, add_histogram, s) < 0)
        return;
    add_losses(s);
    s->failed = false;
}

static PyObject *losses(const struct calltree_losses *l) {
    return Py_BuildValue("{sKsKsKsKsKsKsK}",                          //
                         "calls beyond max_nodes", l->lost,           //
                         "calls too deep", l->too_deep,               //
                         "calls without a histogram", l->untimed,     //
                         "exits that Python did not tell", l->healed, //
                         "exits without an entry", l->unknown,        //
                         "threads told as one with another", thread_merged,
                         "events of unknown code", code_lost);
}

PyObject *snapshot_take(PyObject *functions) {
    struct snapshot s = {.functions = functions};
    PyObject *result = NULL;

    s.threads = PyList_New(0);
    s.nodes = PyList_New(0);
    s.histograms = PyList_New(0);
    if (!s.threads || !s.nodes || !s.histograms)
        goto out;
    follow_adopt_all();
    s.now = clock_ticks();
    if (follow_on)
        thread_each(true, read_thread, &s);
    if (!s.failed)
        result = Py_BuildValue("(dOOON)", refined_rate(), s.threads, s.nodes, s.histograms,
                               losses(&s.losses));
out:
    free(s.rows);
    Py_XDECREF(s.threads);
    Py_XDECREF(s.nodes);
    Py_XDECREF(s.histograms);
    return result;
}
