/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tracking.h"
#include "control/sampler.h"
#include "control/snapshot_parts.h"

/* The row of a node on the stack, with its running segments. A folded recursion has a
 * node there more than once. */
static int add_open_node(struct snapshot *s, const struct calltree_open *open) {
    struct pyusdt_counts_node *rows = (struct pyusdt_counts_node *)s->open.data;
    size_t n = s->open.size / sizeof *rows;

    if (bits_add(&s->is_open, open->node->index, &s->open.failed)) {
        struct calltree_sample closed;
        struct pyusdt_counts_node row;

        calltree_read(open->node, &closed);
        row = snapshot_node(s, &closed);
        row.elapsed += open->self + open->others;
        row.self += open->self;
        return rows_append(&s->open, &row, sizeof row);
    }
    while (n > s->reading->first_open && rows[n - 1].index != open->node->index)
        n--;
    if (n > s->reading->first_open) {
        rows[n - 1].elapsed += open->self + open->others;
        rows[n - 1].self += open->self;
    }
    return 0;
}

/* The same of a function: the own time of frames without a context, and the elapsed time of the
 * lowest one. */
static int add_open_total(struct snapshot *s, const struct calltree_open *open) {
    struct pyusdt_counts_total *rows = (struct pyusdt_counts_total *)s->open_totals.data;
    size_t n = s->open_totals.size / sizeof *rows;
    uint64_t self = open->node ? 0 : open->self, elapsed = open->lowest ? open->elapsed : 0;
    struct calltree_total closed;
    struct pyusdt_counts_total row;

    calltree_read_function(open->function, &closed);
    row = snapshot_total(s, &closed);
    if (bits_add(&s->is_open_total, snapshot_bit(closed.code), &s->open_totals.failed)) {
        row.total += elapsed;
        row.self += self;
        return rows_append(&s->open_totals, &row, sizeof row);
    }
    while (n > s->reading->first_total && rows[n - 1].function != row.function)
        n--;
    if (n > s->reading->first_total) {
        rows[n - 1].total += elapsed;
        rows[n - 1].self += self;
    }
    return 0;
}

static int add_open(const struct calltree_open *open, void *snapshot) {
    if (open->node && add_open_node(snapshot, open) < 0)
        return -1;
    return open->function ? add_open_total(snapshot, open) : 0;
}

static void add_figures(struct pyusdt_counts_line *row, const struct calltree_line *line) {
    row->hits += line->hits;
    row->errors += line->errors;
    row->total += line->total;
    row->self += line->self;
}

/* In a recursion, several frames may stand at a line. */
static int add_open_line(const struct calltree_line *line, void *snapshot) {
    struct snapshot *s = snapshot;
    struct pyusdt_counts_line *known = snapshot_open_line(s, line), row;

    if (known) {
        add_figures(known, line);
        return 0;
    }
    row = snapshot_line(s, line);
    if (rows_append(&s->open_lines, &row, sizeof row) < 0)
        return -1;
    s->reading->n_line++;
    return 0;
}

static int add_closed(const struct calltree_line *line, void *snapshot) {
    struct snapshot *s = snapshot;
    struct pyusdt_counts_line *row = snapshot_open_line(s, line);

    if (row)
        add_figures(row, line);
    return 0;
}

/* Of its lines, those that it stands at are read here as a whole. */
static void read_lines(struct snapshot *s, struct calltree *tree, uint64_t now) {
    calltree_walk_open_lines(tree, now, add_open_line, s);
    if (s->reading->n_line)
        calltree_walk_lines(tree, add_closed, s);
}

/* A kept entry may belong to a new thread whose frames are not known yet. */
static bool is_read(const struct thread *thread) {
    return thread->epoch == tracking_epoch || thread->kept == tracking_epoch;
}

static struct reading *new_reading(struct snapshot *s, const struct thread *thread) {
    uint64_t end = thread->ended ? thread->ended_at : s->head.now;
    struct reading reading = {
        .thread = thread,
        .tree = thread->tree,
        .row = {.serial = thread->serial,
                .tid = thread->tree->tid,
                .ident = thread->ended ? 0 : thread->ident},
        .spent = thread->spent + (end > thread->began ? end - thread->began : 0),
        .ended = thread->ended,
        .first_open = s->open.size / sizeof(struct pyusdt_counts_node),
        .first_total = s->open_totals.size / sizeof(struct pyusdt_counts_total),
        .first_line = s->open_lines.size / sizeof(struct pyusdt_counts_line),
    };
    size_t at = s->readings.size;

    reading.row.name = snapshot_text(s, thread->tree->name);
    if (rows_append(&s->readings, &reading, sizeof reading) < 0)
        return NULL;
    return (struct reading *)(s->readings.data + at);
}

void snapshot_read_stack(struct thread *thread, void *snapshot) {
    struct snapshot *s = snapshot;
    uint64_t end = thread->ended ? thread->ended_at : s->head.now;

    sampler_follow(thread);
    s->reading = is_read(thread) ? new_reading(s, thread) : NULL;
    if (!s->reading)
        return;
    calltree_walk_open(thread->tree, end, add_open, s);
    s->reading->n_open = s->open.size / sizeof(struct pyusdt_counts_node) - s->reading->first_open;
    s->reading->n_total =
        s->open_totals.size / sizeof(struct pyusdt_counts_total) - s->reading->first_total;
    bits_free(&s->is_open);
    bits_free(&s->is_open_total);
    read_lines(s, thread->tree, end);
}

void snapshot_read_no_stack(struct thread *thread, void *snapshot) {
    if (is_read(thread))
        new_reading(snapshot, thread);
}
