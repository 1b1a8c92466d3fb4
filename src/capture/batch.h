/* SPDX-License-Identifier: Apache-2.0
 *
 * The batch: entries and exits of functions that a thread writes down, and tells many by one trap.
 * What tracers read, and when it is told: pyusdt_batch.h.
 *
 * One thread writes a batch, its owner, in callbacks, which have the GIL from beginning to end; so
 * whoever has the GIL may tell and empty any batch. Nothing is locked, and an event costs a few
 * stores. Where threads run without a GIL nobody but the owner tells it.
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
    _Atomic uint32_t n;    /* records in it; the watcher reads it without the GIL */
    _Atomic uint32_t told; /* times that it was told or dropped; likewise */
    uint32_t seen_n;       /* these three are the watcher's: the first two as it saw them last */
    uint32_t seen_told;
    bool stale;
    uint32_t tid;
    uint64_t serial;       /* of the last record that was told */
    uint64_t time_ns;      /* likewise */
    struct thread *thread; /* borrowed, lives for ever; this is its batch, or was once */
    struct batch *next;
    struct pyusdt_event records[PYUSDT_BATCH]; /* while it is filled, time_ns is in ticks */
};

/* 0, or -1 with an exception set. */
int batch_init(void);

/* True while somebody wants batches. */
extern bool batch_on;

/* Begin or cease, as these watched probes want it. */
void batch_apply(probe_mask wanted);

/* The running thread's batch, made if needed; NULL: out of memory, or the thread is hidden. */
struct batch *batch_meet(void);

/* Tell what is in it, if somebody listens, and empty it. */
void batch_fire(struct batch *batch);

/* The running thread enters or leaves `code`. To be called while batch_on. */
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

/* One look: true when batches have waited since the last one, and batch_fire_stale() has something
 * to tell. The watcher; no GIL. */
bool batch_look(void);
void batch_fire_stale(void);

/* Tell all that there is. No events are on. */
void batch_fire_all(void);

/* Events that are in no batch for want of memory. Any thread, no GIL. */
uint64_t batch_losses(void);

#endif
