/* SPDX-License-Identifier: Apache-2.0
 *
 * The batch: entries and exits of functions that a thread collects, to report many in one trap.
 * What tracers read, and when the probe fires: pyusdt_batch.h. Threads and locks: batch.c.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_BATCH_H
#define PYUSDT_CAPTURE_BATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "calltree/code_record.h"
#include "capture/thread.h"
#include "probe/probes.h"
#include "pyusdt_batch.h"

struct batch {
    _Atomic uint32_t n;     /* records in it; the watcher reads it without the GIL */
    _Atomic uint32_t fired; /* times that it was fired or dropped; likewise */
    uint32_t seen_n;        /* these three are the watcher's: the first two as it saw them last */
    uint32_t seen_fired;
    bool stale;
    uint32_t tid;
    uint64_t serial;       /* of the last record that was fired */
    uint64_t time_ns;      /* likewise */
    struct thread *thread; /* borrowed, lives for ever: the owner, or the last one */
    struct batch *next;
    struct pyusdt_event records[PYUSDT_BATCH]; /* while it is filled, time_ns is in ticks */
};

/* 0, or -1 with an exception set. */
int batch_init(void);

/* True while a tracer watches the probe. */
extern bool batch_on;

/* Start or stop filling batches, as the demand wants it. */
void batch_apply(probe_mask wanted);

/* The running thread's batch, made if needed. NULL: out of memory, or the thread is hidden. */
struct batch *batch_meet(void);

/* Fire the records in it, if a tracer watches, and empty it. */
void batch_fire(struct batch *batch);

/* Record that the running thread enters or leaves `code`. Call it only while batch_on. */
static inline void batch_add(const struct code_record *code, enum pyusdt_kind kind) {
    struct thread *thread = t_thread;
    struct batch *batch = LIKELY(thread) ? thread->batch : NULL;
    struct pyusdt_event *record;
    uint32_t n;

    if (UNLIKELY(!batch) && !(batch = batch_meet()))
        return;
    n = atomic_load_explicit(&batch->n, memory_order_relaxed);
    record = &batch->records[n++];
    record->time_ns = clock_ticks();
    record->id = code->id;
    record->kind = kind;
    record->line = code->line;
    atomic_store_explicit(&batch->n, n, memory_order_relaxed);
    if (UNLIKELY(n == PYUSDT_BATCH))
        batch_fire(batch);
}

/* The kind of record for an event that enters or leaves a function. */
static inline enum pyusdt_kind batch_kind(enum event_frame frame) {
    switch (frame) {
    case FRAME_START:
        return PYUSDT_KIND_START;
    case FRAME_RESUME:
        return PYUSDT_KIND_RESUME;
    case FRAME_THROW:
        return PYUSDT_KIND_THROW;
    case FRAME_YIELD:
        return PYUSDT_KIND_YIELD;
    case FRAME_UNWIND:
        return PYUSDT_KIND_UNWIND;
    default:
        return PYUSDT_KIND_RETURN;
    }
}

/* Poll: true when records have waited since the last poll; batch_fire_stale() fires them. The
 * watcher only; batch_poll() without the GIL. */
bool batch_poll(void);
void batch_fire_stale(void);

/* Fire all batches. No events are enabled. */
void batch_fire_all(void);

/* Events that were lost because a batch could not be allocated. Any thread, no GIL. */
uint64_t batch_losses(void);

#endif
