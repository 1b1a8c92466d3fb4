/* SPDX-License-Identifier: Apache-2.0 */
#include "control/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/code.h"
#include "capture/tracking.h"
#include "steps/step_log.h"

/* A smaller change of the rate is measuring noise, and ignored: figures at rest stay the same. */
#define RATE_NOISE 2e-4

#define BOOTSTRAP "Thread._bootstrap"

/* A growing array of bytes. When it cannot grow, it stays as it was and `failed` is set. */
struct part {
    char *data; /* owned */
    size_t size, room;
    bool failed;
};

struct snapshot {
    struct part losses, threads, nodes, buckets, functions, steps, names, texts;
    uint64_t now;
    struct calltree_losses lost;
    struct thread *thread; /* the one that is being read */
    size_t first;          /* byte in nodes of this thread's first one */
    bool whole;            /* all that this thread did was in Thread._bootstrap */
    bool others;           /* functions has "(others)" */
};

/* Written under the GIL. */
static double s_ns_per_tick;
static uint32_t s_generation; /* marks the functions that this snapshot has */
static int
    s_bucket_of[HISTOGRAM_BUCKETS]; /* from a bucket of ticks to one of ns. It never changes,
                                       so that counts only grow; valid once a rate is known */

static int bucket_of(double ns) {
    uint64_t n = ns < 0x1p63 ? (uint64_t)ns : (uint64_t)1 << 63;
    unsigned power = n < 4 ? 0 : 63u - (unsigned)__builtin_clzll(n);

    return n < 4 ? (int)n : (int)((uint64_t)(power - 1) * 4 + ((n >> (power - 2)) & 3));
}

static void refine_rate(void) {
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
}

static void *extend(struct part *part, size_t size) {
    size_t room = part->room ? part->room : 4096;
    char *data = part->data;

    while (room < part->size + size)
        room *= 2;
    if (room != part->room)
        data = realloc(part->data, room);
    if (!data) {
        part->failed = true;
        return NULL;
    }
    part->data = data;
    part->room = room;
    part->size += size;
    return data + part->size - size;
}

static int append(struct part *part, const void *data, size_t size) {
    void *room = extend(part, size);

    if (!room)
        return -1;
    memcpy(room, data, size);
    return 0;
}

/* Without memory the place is meaningless, and the whole snapshot fails. */
static uint32_t keep_text(struct snapshot *s, const char *text) {
    uint32_t at = (uint32_t)s->texts.size;

    append(&s->texts, text, strlen(text) + 1);
    return at;
}

/* True the first time. The cast is valid: records are not const where they are made. */
static bool is_new(struct snapshot *s, const struct code_record *code) {
    bool known = code ? code->snapshot == s_generation : s->others;

    if (code)
        ((struct code_record *)code)->snapshot = s_generation;
    else
        s->others = true;
    return !known;
}

static int add_function(struct snapshot *s, const struct pyusdt_node *node,
                        const struct code_record *code) {
    struct pyusdt_counts_function function = {.id = node->id, .line = (int32_t)node->line};

    function.module = keep_text(s, node->module);
    function.qualname = keep_text(s, node->qualname);
    function.name = keep_text(s, code ? code->function : node->qualname);
    function.file = keep_text(s, node->file);
    return append(&s->functions, &function, sizeof function);
}

/* The root, index 0, is kept until the thread has been read, so that nodes are found by index. */
static int add_node(const struct calltree_sample *sample, void *snapshot) {
    struct snapshot *s = snapshot;
    const struct pyusdt_node *node = sample->node;
    uint32_t parent = node->parent ? node->parent->index : 0;
    struct pyusdt_counts_node row = {
        .serial = s->thread->serial,
        .index = node->index,
        .parent = parent ? (int32_t)parent : -1,
        .function = node->id,
        .calls = sample->calls,
        .resumes = sample->resumes,
        .errors = sample->errors,
        .elapsed = sample->elapsed,
        .self = sample->self,
    };

    if (node->depth == 1 && node->id != PYUSDT_ID_OTHERS && strcmp(node->qualname, BOOTSTRAP) != 0)
        s->whole = false;
    if (node->index && is_new(s, sample->code) && add_function(s, node, sample->code) < 0)
        return -1;
    return append(&s->nodes, &row, sizeof row);
}

static struct pyusdt_counts_node *nodes_of(struct snapshot *s) {
    return (struct pyusdt_counts_node *)(s->nodes.data + s->first);
}

static int add_open(const struct calltree_sample *sample, void *snapshot) {
    struct pyusdt_counts_node *row = &nodes_of(snapshot)[sample->node->index];

    row->elapsed += sample->elapsed;
    row->self += sample->self;
    return 0;
}

static int add_histogram(const struct code_record *code, const uint32_t counts[HISTOGRAM_BUCKETS],
                         void *snapshot) {
    struct snapshot *s = snapshot;

    for (int b = 0; b < HISTOGRAM_BUCKETS; b++) {
        struct pyusdt_counts_bucket row = {s->thread->serial, code->id, (uint32_t)s_bucket_of[b],
                                           counts[b]};

        if (counts[b] && append(&s->buckets, &row, sizeof row) < 0)
            return -1;
    }
    return 0;
}

/* The time of a thread of Python's threading ends with Thread._bootstrap: what the interpreter and
 * the C library do after that is not the program's. */
static uint64_t elapsed_of(struct snapshot *s, uint64_t end) {
    const struct thread *t = s->thread;
    size_t n = (s->nodes.size - s->first) / sizeof(struct pyusdt_counts_node);
    uint64_t elapsed = 0;

    if (!t->ended || !s->whole)
        return t->spent + (end > t->began ? end - t->began : 0);
    for (size_t i = 1; i < n; i++)
        if (nodes_of(s)[i].parent == -1)
            elapsed += nodes_of(s)[i].elapsed;
    return elapsed;
}

static void add_thread(struct snapshot *s, uint64_t end) {
    const struct thread *t = s->thread;
    struct pyusdt_counts_thread row = {
        .serial = t->serial,
        .tid = t->tree->tid,
        .ident = t->ended ? 0 : t->ident,
        .elapsed = elapsed_of(s, end),
        .name = keep_text(s, t->tree->name),
    };

    append(&s->threads, &row, sizeof row);
}

static void add_losses_of_thread(struct snapshot *s) {
    struct calltree_losses losses;

    calltree_losses(s->thread->tree, &losses);
    s->lost.lost += losses.lost;
    s->lost.too_deep += losses.too_deep;
    s->lost.healed += losses.healed;
    s->lost.unknown += losses.unknown;
    s->lost.untimed += losses.untimed;
}

static void read_thread(struct thread *thread, void *snapshot) {
    struct snapshot *s = snapshot;
    uint64_t end = thread->ended ? thread->ended_at : s->now;
    size_t row = sizeof(struct pyusdt_counts_node);

    /* A kept entry may belong to a new thread whose frames are not known yet. */
    if (s->nodes.failed || (thread->epoch != tracking_epoch && thread->kept != tracking_epoch))
        return;
    s->thread = thread;
    s->first = s->nodes.size;
    s->whole = true;
    if (calltree_walk(thread->tree, add_node, s) < 0) {
        s->nodes.failed = true;
        return;
    }
    calltree_walk_open(thread->tree, end, add_open, s);
    add_thread(s, end);
    calltree_walk_functions(thread->tree, add_histogram, s);
    add_losses_of_thread(s);
    s->nodes.size -= row; /* the root */
    memmove(nodes_of(s), nodes_of(s) + 1, s->nodes.size - s->first);
}

static void add_loss(struct snapshot *s, const char *name, uint64_t count) {
    struct pyusdt_counts_loss row = {.name = keep_text(s, name), .count = count};

    append(&s->losses, &row, sizeof row);
}

static void add_losses(struct snapshot *s, uint64_t steps) {
    add_loss(s, "calls beyond max_nodes", s->lost.lost);
    add_loss(s, "calls too deep", s->lost.too_deep);
    add_loss(s, "calls without a histogram", s->lost.untimed);
    add_loss(s, "exits that Python did not report", s->lost.healed);
    add_loss(s, "exits without an entry", s->lost.unknown);
    add_loss(s, "threads merged with an ended one", thread_merged);
    add_loss(s, "events of unknown code", code_lost);
    add_loss(s, "steps and marks beyond 500,000", steps);
}

/* The log's texts follow ours, so places in them are shifted. */
static void add_steps(struct snapshot *s, const struct step_log *log) {
    uint32_t base = (uint32_t)s->texts.size;

    for (size_t i = 0; i < log->n_names; i++) {
        uint32_t at = base + log->names[i];

        append(&s->names, &at, sizeof at);
    }
    for (size_t i = 0; i < log->n_steps; i++) {
        struct pyusdt_counts_step step = log->steps[i];

        if (step.kind == PYUSDT_MARK_TEXT)
            step.value += base;
        append(&s->steps, &step, sizeof step);
    }
    if (log->text_size)
        append(&s->texts, log->texts, log->text_size);
}

/* All parts in one block, after the head. NULL: no memory. */
static char *joined(struct snapshot *s, const struct pyusdt_counts *head, size_t *size) {
    const struct part *parts[] = {&s->losses,    &s->threads, &s->nodes, &s->buckets,
                                  &s->functions, &s->steps,   &s->names, &s->texts};
    size_t n = sizeof parts / sizeof *parts, at = sizeof *head;
    bool failed = false;
    char *all;

    *size = sizeof *head;
    for (size_t i = 0; i < n; i++) {
        *size += parts[i]->size;
        failed |= parts[i]->failed;
    }
    all = failed || s->texts.size > UINT32_MAX ? NULL : malloc(*size);
    if (!all)
        return NULL;
    memcpy(all, head, sizeof *head);
    for (size_t i = 0; i < n; i++) {
        if (parts[i]->size)
            memcpy(all + at, parts[i]->data, parts[i]->size);
        at += parts[i]->size;
    }
    return all;
}

static struct pyusdt_counts head_of(const struct snapshot *s, uint64_t now_ns) {
    return (struct pyusdt_counts){
        .ns_per_tick = s_ns_per_tick,
        .now = s->now,
        .now_ns = now_ns,
        .n_losses = (uint32_t)(s->losses.size / sizeof(struct pyusdt_counts_loss)),
        .n_threads = (uint32_t)(s->threads.size / sizeof(struct pyusdt_counts_thread)),
        .n_nodes = (uint32_t)(s->nodes.size / sizeof(struct pyusdt_counts_node)),
        .n_buckets = (uint32_t)(s->buckets.size / sizeof(struct pyusdt_counts_bucket)),
        .n_functions = (uint32_t)(s->functions.size / sizeof(struct pyusdt_counts_function)),
        .n_names = (uint32_t)(s->names.size / sizeof(uint32_t)),
        .n_steps = (uint32_t)(s->steps.size / sizeof(struct pyusdt_counts_step)),
        .text_size = (uint32_t)s->texts.size,
    };
}

static void clear(struct snapshot *s) {
    struct part *parts[] = {&s->losses,    &s->threads, &s->nodes, &s->buckets,
                            &s->functions, &s->steps,   &s->names, &s->texts};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]->data);
}

char *snapshot_take(size_t *size) {
    struct snapshot s = {.now = 0};
    struct step_log log;
    struct pyusdt_counts head;
    struct clock_moment now;
    char *all;

    refine_rate();
    s_generation++;
    tracking_adopt_all();
    now = clock_moment();
    s.now = now.ticks;
    if (tracking_on)
        thread_each(true, read_thread, &s);
    log = step_log_read();
    add_losses(&s, log.lost);
    add_steps(&s, &log);
    head = head_of(&s, now.ns);
    all = joined(&s, &head, size);
    clear(&s);
    return all;
}
