/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "control/sampler.h"
#include "control/snapshot_parts.h"

#define BOOTSTRAP "Thread._bootstrap"

/* The rows of all nodes, the root's too, so that a row is found by its index. */
static int add_node(const struct calltree_sample *sample, void *snapshot) {
    struct snapshot *s = snapshot;
    const struct pyusdt_node *node = sample->node;
    struct pyusdt_counts_node row = snapshot_node(s, sample);

    if (s->stop && *s->stop)
        return -1;
    if (node->depth == 1 && node->id != PYUSDT_ID_OTHERS)
        s->bootstrap &= !strcmp(node->qualname, BOOTSTRAP);
    if (node->index > 1 && snapshot_function(s, sample->code) < 0)
        return -1;
    return rows_append(&s->nodes, &row, sizeof row);
}

static struct pyusdt_counts_node *nodes_of(const struct snapshot *s) {
    return (struct pyusdt_counts_node *)(s->nodes.data + s->first);
}

static size_t n_nodes_of(const struct snapshot *s) {
    return (s->nodes.size - s->first) / sizeof(struct pyusdt_counts_node);
}

/* Nodes on a stack are as they were in the first step. */
static void replace_open(struct snapshot *s) {
    struct pyusdt_counts_node *open =
        (struct pyusdt_counts_node *)s->open.data + s->reading->first_open;

    for (size_t i = 0; i < s->reading->n_open; i++)
        nodes_of(s)[open[i].index] = open[i];
}

/* Known contexts by function. False: no memory. */
static bool add_up(struct snapshot *s) {
    const struct pyusdt_counts_node *nodes = nodes_of(s);
    size_t n = n_nodes_of(s);

    s->n_sums = 0;
    for (size_t i = 2; i < n; i++)
        s->n_sums = nodes[i].function >= s->n_sums ? nodes[i].function + 1u : s->n_sums;
    s->sums = calloc(s->n_sums + 1, sizeof *s->sums);
    for (size_t i = 2; s->sums && i < n; i++) {
        struct sum *sum = &s->sums[nodes[i].function];

        sum->calls += nodes[i].calls;
        sum->resumes += nodes[i].resumes;
        sum->errors += nodes[i].errors;
        sum->self += nodes[i].self;
    }
    return s->sums;
}

/* Adds what was called to all that called it. What was given up below the thread itself is the time
 * of its "(others)", number 1. */
static void complete(struct snapshot *s) {
    struct pyusdt_counts_node *nodes = nodes_of(s);

    nodes[1].self = nodes[1].elapsed = nodes[0].elapsed;
    for (size_t i = n_nodes_of(s) - 1; i > 0; i--)
        if (nodes[i].parent >= 0)
            nodes[nodes[i].parent].elapsed += nodes[i].elapsed;
}

static uint64_t time_at_the_top(const struct snapshot *s) {
    uint64_t elapsed = 0;

    for (size_t i = 1; i < n_nodes_of(s); i++)
        if (nodes_of(s)[i].parent == -1)
            elapsed += nodes_of(s)[i].elapsed;
    return elapsed;
}

static uint64_t signature_of(const struct pyusdt_counts_node *row) {
    uint64_t signature = shadow_mix(row->calls, row->resumes);

    signature = shadow_mix(signature, row->errors);
    signature = shadow_mix(signature, row->elapsed);
    return shadow_mix(signature, row->self);
}

/* A tracer, or another recorder, may have wanted times for a while. */
static bool is_untimed(const struct snapshot *s) {
    return s->head.flags & PYUSDT_COUNTS_TIMES_SAMPLED;
}

static bool has_time(const struct pyusdt_counts_node *row) {
    return row->elapsed || row->self;
}

/* Leaves the rows that are to be in the snapshot. "(others)" is, where it has something. */
static int keep_new(struct snapshot *s) {
    struct pyusdt_counts_node *nodes = nodes_of(s), *to = nodes;
    size_t n = n_nodes_of(s);

    for (size_t i = 0; i < n && is_untimed(s); i++)
        nodes[i].elapsed = nodes[i].self = 0;
    if (has_time(&nodes[1]) && snapshot_function(s, NULL) < 0)
        return -1;
    for (size_t i = has_time(&nodes[1]) ? 1 : 2; i < n; i++)
        if (shadow_is_new(s->shadow, &s->known->nodes, nodes[i].index, signature_of(&nodes[i])))
            *to++ = nodes[i];
    s->nodes.size = (size_t)((char *)to - s->nodes.data);
    return 0;
}

struct durations {
    struct snapshot *snapshot;
    uint32_t function, kind;
};

static int add_duration(uint64_t ticks, uint64_t count, void *durations) {
    const struct durations *d = durations;
    struct pyusdt_counts_duration row = {.serial = d->snapshot->reading->row.serial,
                                         .function = d->function,
                                         .ticks = ticks,
                                         .count = count,
                                         .kind = d->kind};

    return rows_append(&d->snapshot->durations, &row, sizeof row);
}

static struct pyusdt_counts_total *open_totals(const struct snapshot *s) {
    return (struct pyusdt_counts_total *)s->open_totals.data + s->reading->first_total;
}

static const struct pyusdt_counts_total *open_total(const struct snapshot *s, uint32_t function) {
    const struct pyusdt_counts_total *row = open_totals(s), *end = row + s->reading->n_total;

    while (row < end && row->function != function)
        row++;
    return row < end ? row : NULL;
}

static uint64_t signature_of_total(const struct pyusdt_counts_total *row) {
    uint64_t signature = shadow_mix(row->calls, row->resumes);

    signature = shadow_mix(signature, row->errors);
    signature = shadow_mix(signature, row->total);
    return shadow_mix(signature, row->self);
}

static int add_total(const struct function *function, void *snapshot) {
    struct snapshot *s = snapshot;
    struct calltree_total total;
    struct pyusdt_counts_total row;
    struct durations durations = {.snapshot = s};

    if (s->stop && *s->stop)
        return -1;
    calltree_read_function(function, &total);
    row = snapshot_total(s, &total);
    if (bits_has(&s->is_open_total, snapshot_bit(total.code)) && open_total(s, row.function))
        row = *open_total(s, row.function);
    if (total.code && row.function < s->n_sums) {
        row.calls += s->sums[row.function].calls;
        row.resumes += s->sums[row.function].resumes;
        row.errors += s->sums[row.function].errors;
        row.self += s->sums[row.function].self;
    }
    if (is_untimed(s))
        row.total = row.self = 0;
    if (!(row.calls | row.resumes | row.errors | row.total | row.self) ||
        !shadow_is_new(s->shadow, &s->known->functions, snapshot_bit(total.code),
                       signature_of_total(&row)))
        return 0;
    if (snapshot_function(s, total.code) < 0 || rows_append(&s->totals, &row, sizeof row) < 0)
        return -1;
    if (is_untimed(s))
        return 0;
    durations.function = row.function;
    if (calltree_walk_histogram(function, CALLTREE_RUNNING, add_duration, &durations) < 0)
        return -1;
    durations.kind = PYUSDT_LATENCY;
    return calltree_walk_histogram(function, CALLTREE_LATENCY, add_duration, &durations);
}

static int add_totals(struct snapshot *s) {
    for (size_t i = 0; i < s->reading->n_total; i++) {
        uint32_t id = open_totals(s)[i].function;

        bits_add(&s->is_open_total, id == PYUSDT_ID_OTHERS ? 0 : id, &s->open_totals.failed);
    }
    return calltree_walk_functions(s->reading->tree, add_total, s);
}

/* The lines of a function are in the snapshot if there is anything new in one of them. */
static int end_lined(struct snapshot *s) {
    const struct code_record *code = s->lined.code;
    size_t first = s->lined.first;

    s->lined.code = NULL;
    if (!code)
        return 0;
    if (shadow_is_new(s->shadow, &s->known->lined, snapshot_bit(code), s->lined.signature))
        return snapshot_function(s, code);
    s->lines.size = first;
    return 0;
}

/* Those of one function come one after the other. */
static int add_line(const struct calltree_line *line, void *snapshot) {
    struct snapshot *s = snapshot;
    const struct pyusdt_counts_line *open = snapshot_open_line(s, line);
    struct pyusdt_counts_line row = open ? *open : snapshot_line(s, line);

    if (s->stop && *s->stop)
        return -1;
    if (line->code != s->lined.code) {
        if (end_lined(s) < 0)
            return -1;
        s->lined = (struct lined){.code = line->code, .first = s->lines.size};
    }
    if (is_untimed(s))
        row.total = row.self = 0;
    s->lined.signature = shadow_mix(s->lined.signature ^ (uint32_t)row.line, row.hits);
    s->lined.signature = shadow_mix(s->lined.signature, row.errors);
    s->lined.signature = shadow_mix(s->lined.signature, row.total);
    s->lined.signature = shadow_mix(s->lined.signature, row.self);
    return rows_append(&s->lines, &row, sizeof row);
}

static int add_lines(struct snapshot *s) {
    s->lined.code = NULL;
    return calltree_walk_lines(s->reading->tree, add_line, s) < 0 ? -1 : end_lined(s);
}

static int add_charge(const struct charge *charge, uint32_t number, void *snapshot) {
    struct snapshot *s = snapshot;
    struct pyusdt_counts_charge row = {
        .serial = s->reading->row.serial,
        .index = charge->place.index,
        .function = charge->place.function,
        .kind = charge->kind,
        .syscall = charge->syscall,
        .samples = charge->samples,
        .ns = charge->ns,
        .line = charge->place.line,
    };

    if (!shadow_is_new(s->shadow, &s->known->charges, number, shadow_mix(row.ns, row.samples)))
        return 0;
    if (row.index && snapshot_function(s, charge->place.code) < 0)
        return -1;
    return rows_append(&s->charges, &row, sizeof row);
}

static void add_losses_of(struct snapshot *s, const struct calltree *tree) {
    struct calltree_losses losses;

    calltree_losses(tree, &losses);
    s->lost.lost += losses.lost;
    s->lost.folded += losses.folded;
    s->lost.too_deep += losses.too_deep;
    s->lost.healed += losses.healed;
    s->lost.unknown += losses.unknown;
    s->lost.untimed += losses.untimed;
    s->lost.unlined += losses.unlined;
}

/* The time of a thread of Python's threading ends with Thread._bootstrap: what the interpreter and
 * the C library do after that is not the program's. */
bool snapshot_read_tree(struct snapshot *s) {
    struct reading *reading = s->reading;
    bool read;

    s->known = shadow_thread_of(s->shadow, reading->row.serial);
    s->first = s->nodes.size;
    s->bootstrap = true;
    read = s->known && calltree_walk(reading->tree, add_node, s) == 0;
    if (read) {
        replace_open(s);
        read = add_up(s);
        complete(s);
        reading->row.elapsed =
            reading->ended && s->bootstrap && !is_untimed(s) ? time_at_the_top(s) : reading->spent;
        read = read && keep_new(s) == 0 && add_totals(s) == 0 && add_lines(s) == 0 &&
               sampler_walk(reading->thread, add_charge, s) == 0;
    }
    free(s->sums);
    s->sums = NULL;
    bits_free(&s->is_open_total);
    rows_append(&s->threads, &reading->row, sizeof reading->row);
    add_losses_of(s, reading->tree);
    return read;
}
