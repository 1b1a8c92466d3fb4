/* SPDX-License-Identifier: Apache-2.0 */
#include "control/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/code.h"
#include "capture/suspended.h"
#include "capture/tracking.h"
#include "control/rate.h"
#include "control/resident.h"
#include "control/sampler.h"
#include "control/snapshot_parts.h"
#include "memory/account.h"
#include "memory/memory.h"
#include "pyusdt_control.h"
#include "steps/step_log.h"

/* The log's texts follow ours, so places in them are shifted. */
static void add_steps(struct snapshot *s) {
    struct step_log log = step_log_read();
    size_t first = s->shadow->n_steps < log.n_steps ? s->shadow->n_steps : log.n_steps;
    uint32_t base = (uint32_t)s->texts.size;

    s->n_steps_lost = log.lost;
    if (first == log.n_steps)
        return;
    s->shadow->n_steps = log.n_steps;
    for (size_t i = 0; i < log.n_names; i++) {
        uint32_t at = base + log.names[i];

        rows_append(&s->names, &at, sizeof at);
    }
    for (size_t i = first; i < log.n_steps; i++) {
        struct pyusdt_counts_step step = log.steps[i];

        if (step.kind == PYUSDT_MARK_TEXT)
            step.value += base;
        rows_append(&s->steps, &step, sizeof step);
    }
    for (size_t i = 0; i < log.n_memory; i++)
        if (log.memory[i].step >= first)
            rows_append(&s->step_memory, &log.memory[i], sizeof *log.memory);
    rows_append(&s->texts, log.texts, log.text_size);
}

static struct snapshot *new_snapshot(struct shadow *shadow) {
    struct snapshot *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    if (!shadow)
        shadow = s->own = calloc(1, sizeof *shadow);
    s->shadow = shadow;
    if (shadow)
        return s;
    free(s);
    return NULL;
}

static uint32_t memory_flags(uint32_t kinds) {
    return (kinds & PYUSDT_MEMORY_PYTHON ? PYUSDT_COUNTS_MEMORY : 0) |
           (kinds & PYUSDT_MEMORY_NATIVE ? PYUSDT_COUNTS_MEMORY_NATIVE : 0) |
           (kinds & PYUSDT_MEMORY_SAMPLED ? PYUSDT_COUNTS_MEMORY_SAMPLED : 0);
}

static void set_moment(struct snapshot *s) {
    struct clock_moment now = clock_moment();

    s->head.ns_per_tick = rate_ns_per_tick();
    s->head.now = now.ticks;
    s->head.now_ns = now.ns;
    s->head.flags = (sampler_works() ? PYUSDT_COUNTS_SAMPLED : 0) |
                    (tracking_exact ? 0 : PYUSDT_COUNTS_TIMES_SAMPLED) |
                    memory_flags(memory_accounted());
    sampler_settle();
}

struct snapshot *snapshot_begin(struct shadow *shadow) {
    struct snapshot *s = new_snapshot(shadow);

    if (!s)
        return NULL;
    rate_refine();
    memory_renew();
    tracking_adopt_all();
    set_moment(s);
    if (tracking_on)
        thread_each(true, snapshot_read_stack, s);
    add_steps(s);
    return s;
}

/* A rate is known: the recording has begun with a snapshot. */
struct snapshot *snapshot_begin_blind(struct shadow *shadow) {
    struct snapshot *s = new_snapshot(shadow);

    if (!s)
        return NULL;
    set_moment(s);
    if (tracking_on)
        thread_each(false, snapshot_read_no_stack, s);
    return s;
}

static void add_resident(struct snapshot *s) {
    struct pyusdt_counts_resident *points = calloc(RESIDENT_MAX, sizeof *points);
    size_t n = points ? resident_read(s->shadow->resident_ns, points) : 0;

    if (n > 0) {
        s->shadow->resident_ns = points[n - 1].at_ns;
        rows_append(&s->resident, points, n * sizeof *points);
    }
    s->resident.failed |= !points;
    free(points);
}

static void add_loss(struct snapshot *s, const char *name, uint64_t count) {
    struct pyusdt_counts_loss row = {.name = snapshot_text(s, name), .count = count};

    rows_append(&s->losses, &row, sizeof row);
}

static void add_losses(struct snapshot *s) {
    struct account_totals memory;

    account_totals(&memory);
    add_loss(s, "calls beyond max_nodes", s->lost.lost);
    add_loss(s, "calls folded into their recursion", s->lost.folded);
    add_loss(s, "calls too deep", s->lost.too_deep);
    add_loss(s, "coroutines without a latency", suspended_lost);
    add_loss(s, "calls without a histogram", s->lost.untimed);
    add_loss(s, "lines beyond memory", s->lost.unlined);
    add_loss(s, "exits that Python did not report", s->lost.healed);
    add_loss(s, "exits without an entry", s->lost.unknown);
    add_loss(s, "threads merged with an ended one", thread_merged);
    add_loss(s, "events of unknown code", code_lost);
    add_loss(s, "charges beyond memory", charges_lost());
    add_loss(s, "blocks beyond memory", memory.lost);
    add_loss(s, "slots of native memory that are read-only", memory_refused());
    add_loss(s, "times that another tool has put out the hooks of memory", memory_replaced());
    add_loss(s, "no /proc or no thread: wall times only", sampler_missed());
    add_loss(s, "steps and marks beyond 500,000", s->n_steps_lost);
    add_loss(s, "ages of blocks beyond memory", s->n_living_lost);
}

/* In the order of the layout. */
static void list_parts(struct snapshot *s, struct rows *parts[SNAPSHOT_PIECES - 1]) {
    struct rows *all[] = {&s->losses,  &s->threads, &s->nodes,     &s->totals,   &s->durations,
                          &s->charges, &s->lines,   &s->memory,    &s->resident, &s->living,
                          &s->points,  &s->growth,  &s->functions, &s->steps,    &s->step_memory,
                          &s->names,   &s->texts};

    memcpy(parts, all, sizeof all);
}

bool snapshot_walk(struct snapshot *s, const atomic_bool *stop) {
    struct rows *parts[SNAPSHOT_PIECES - 1];
    size_t n = s->readings.size / sizeof(struct reading);
    bool failed = false;

    s->stop = stop;
    failed = !snapshot_read_memory(s) ||
             (s->own && (!snapshot_read_living(s) || !snapshot_read_growth(s)));
    for (size_t i = 0; i < n && !failed; i++) {
        s->reading = (struct reading *)s->readings.data + i;
        failed = !snapshot_read_tree(s);
    }
    add_losses(s);
    add_resident(s);
    list_parts(s, parts);
    for (int i = 0; i < SNAPSHOT_PIECES - 1; i++)
        failed |= parts[i]->failed;
    return !failed && !s->open.failed && !s->open_totals.failed && !s->open_lines.failed &&
           !s->readings.failed && !s->shadow->failed && s->texts.size <= UINT32_MAX;
}

void snapshot_pieces(struct snapshot *s, struct part_piece pieces[SNAPSHOT_PIECES]) {
    struct rows *parts[SNAPSHOT_PIECES - 1];

    s->head.n_losses = (uint32_t)(s->losses.size / sizeof(struct pyusdt_counts_loss));
    s->head.n_threads = (uint32_t)(s->threads.size / sizeof(struct pyusdt_counts_thread));
    s->head.n_nodes = (uint32_t)(s->nodes.size / sizeof(struct pyusdt_counts_node));
    s->head.n_totals = (uint32_t)(s->totals.size / sizeof(struct pyusdt_counts_total));
    s->head.n_durations = (uint32_t)(s->durations.size / sizeof(struct pyusdt_counts_duration));
    s->head.n_charges = (uint32_t)(s->charges.size / sizeof(struct pyusdt_counts_charge));
    s->head.n_lines = (uint32_t)(s->lines.size / sizeof(struct pyusdt_counts_line));
    s->head.n_memory = (uint32_t)(s->memory.size / sizeof(struct pyusdt_counts_memory));
    s->head.n_resident = (uint32_t)(s->resident.size / sizeof(struct pyusdt_counts_resident));
    s->head.n_living = (uint32_t)(s->living.size / sizeof(struct pyusdt_counts_living));
    s->head.n_points = (uint32_t)(s->points.size / sizeof(struct pyusdt_counts_point));
    s->head.n_growth = (uint32_t)(s->growth.size / sizeof(struct pyusdt_counts_growth));
    s->head.n_step_memory =
        (uint32_t)(s->step_memory.size / sizeof(struct pyusdt_counts_step_memory));
    s->head.n_functions = (uint32_t)(s->functions.size / sizeof(struct pyusdt_counts_function));
    s->head.n_names = (uint32_t)(s->names.size / sizeof(uint32_t));
    s->head.n_steps = (uint32_t)(s->steps.size / sizeof(struct pyusdt_counts_step));
    s->head.text_size = (uint32_t)s->texts.size;
    pieces[0] = (struct part_piece){&s->head, sizeof s->head};
    list_parts(s, parts);
    for (int i = 1; i < SNAPSHOT_PIECES; i++)
        pieces[i] = (struct part_piece){parts[i - 1]->data, parts[i - 1]->size};
}

void snapshot_free(struct snapshot *s) {
    struct rows *parts[SNAPSHOT_PIECES - 1];

    if (!s)
        return;
    list_parts(s, parts);
    for (int i = 0; i < SNAPSHOT_PIECES - 1; i++)
        rows_free(parts[i]);
    rows_free(&s->readings);
    rows_free(&s->open);
    rows_free(&s->open_totals);
    rows_free(&s->open_lines);
    bits_free(&s->is_open);
    bits_free(&s->is_open_total);
    shadow_free(s->own);
    free(s);
}

char *snapshot_joined(struct snapshot *s, size_t *size) {
    struct part_piece pieces[SNAPSHOT_PIECES];
    char *all, *at;

    snapshot_pieces(s, pieces);
    *size = 0;
    for (int i = 0; i < SNAPSHOT_PIECES; i++)
        *size += pieces[i].size;
    at = all = malloc(*size);
    for (int i = 0; all && i < SNAPSHOT_PIECES; i++) {
        if (pieces[i].size)
            memcpy(at, pieces[i].data, pieces[i].size);
        at += pieces[i].size;
    }
    return all;
}

char *snapshot_take(size_t *size) {
    struct snapshot *s = snapshot_begin(NULL);
    char *all = s && snapshot_walk(s, NULL) ? snapshot_joined(s, size) : NULL;

    snapshot_free(s);
    return all;
}
