/* SPDX-License-Identifier: Apache-2.0
 *
 * A probe hit costs a trap into the kernel, which is more than everything else that an event costs.
 * The probe `events` therefore fires once for many records: each thread has a batch, a small array
 * that its callbacks fill.
 *
 * Life. A thread's first event under batch_on gives it a batch, from the list of those whose thread
 * is gone or from calloc(). A batch is fired and emptied when it is full; when the watcher has
 * found it not empty, and not fired in between, at two polls in a row; when another thread takes it
 * over; and when the watcher stops. Batches are never freed, so the list can be walked at any time.
 * Once the probe is no longer watched, firing only empties the batch.
 *
 * Threads. Only the owner adds records, in a callback, which holds the GIL from beginning to end.
 * So any thread that holds the GIL may fire and empty any batch, and there is no lock. The watcher
 * first polls without the GIL: it reads `n` and `fired`, which are atomic, and compares them with
 * what it saw last. Without a GIL the owner is never known to stand still, and the watcher leaves
 * batches alone (compat_others_wait()).
 *
 * Time. A callback stores ticks, and complete() converts them when the batch is fired. Serials and
 * thread ids are added there too: the callback writes only what cannot be known later.
 *
 * Fork. The child has copies of the parent's records, which the parent will fire. It drops them
 * before any of its own code runs.
 */
#include "capture/batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "python/compat.h"

/* Written under the GIL. */
bool batch_on;
static struct batch *_Atomic s_batches; /* only grows: it can be walked without the GIL */
static _Atomic uint64_t s_lost;

static inline uint32_t count(const struct batch *batch) {
    return atomic_load_explicit(&batch->n, memory_order_relaxed);
}

static void empty(struct batch *batch) {
    uint32_t fired = atomic_load_explicit(&batch->fired, memory_order_relaxed);

    atomic_store_explicit(&batch->n, 0, memory_order_relaxed);
    atomic_store_explicit(&batch->fired, fired + 1, memory_order_relaxed);
}

void batch_apply(probe_mask wanted) {
    bool on = (wanted & PROBE_BIT(PROBE_events)) != 0;

    if (on && !batch_on) {
        for (struct batch *batch = s_batches; batch; batch = batch->next) {
            empty(batch);
            batch->serial = 0;
        }
    }
    batch_on = on;
}

/* A batch whose thread has ended and whose entry another thread has taken; NULL: there is none. */
static struct batch *vacant(void) {
    struct batch *batch = s_batches;

    while (batch && batch->thread->batch == batch)
        batch = batch->next;
    return batch;
}

static struct batch *new_batch(void) {
    struct batch *batch = calloc(1, sizeof *batch);

    if (!batch)
        return NULL;
    batch->next = s_batches;
    s_batches = batch;
    return batch;
}

struct batch *batch_meet(void) {
    struct thread *thread = thread_self();
    struct batch *batch;

    if (!thread || thread->batch)
        return thread ? thread->batch : NULL;
    batch = vacant();
    if (batch)
        batch_fire(batch);
    else
        batch = new_batch();
    if (!batch) {
        s_lost++;
        return NULL;
    }
    batch->thread = thread;
    batch->tid = (uint32_t)gettid();
    batch->serial = batch->time_ns = 0;
    thread->batch = batch;
    return batch;
}

/* Fill in what the callback left out. The ticks of two CPUs may differ a little, and their rate is
 * measured again and again: where time would go back, it stands still. */
static void complete(struct batch *batch, uint32_t n) {
    uint64_t now = clock_ticks(), now_ns = clock_monotonic_ns();

    for (uint32_t i = 0; i < n; i++) {
        struct pyusdt_event *record = &batch->records[i];
        uint64_t ticks = record->time_ns;
        uint64_t time_ns = now_ns - (now > ticks ? clock_ns(now - ticks) : 0);

        if (time_ns > batch->time_ns)
            batch->time_ns = time_ns;
        record->time_ns = batch->time_ns;
        record->tid = batch->tid;
        record->serial = ++batch->serial;
    }
}

NOINLINE void batch_fire(struct batch *batch) {
    uint32_t n = count(batch);

    if (n > 0 && probe_on(PROBE_events)) {
        complete(batch, n);
        probe_events(batch->records, n);
    }
    empty(batch);
}

bool batch_poll(void) {
    bool any = false;

    for (struct batch *batch = s_batches; batch && compat_others_wait(); batch = batch->next) {
        uint32_t n = count(batch);
        uint32_t fired = atomic_load_explicit(&batch->fired, memory_order_relaxed);

        batch->stale = n > 0 && batch->seen_n > 0 && fired == batch->seen_fired;
        batch->seen_n = n;
        batch->seen_fired = fired;
        any = any || batch->stale;
    }
    return any;
}

void batch_fire_stale(void) {
    for (struct batch *batch = s_batches; batch; batch = batch->next)
        if (batch->stale)
            batch_fire(batch);
}

void batch_fire_all(void) {
    for (struct batch *batch = s_batches; batch; batch = batch->next)
        batch_fire(batch);
}

uint64_t batch_losses(void) {
    return s_lost;
}

/* The parent fires the records that it had, and the one thread that is left has another tid now.
 * The C library calls this in a child before anything else runs there: hooks of other modules, in
 * Python, would run before ours. */
static void forked(void) {
    for (struct batch *batch = s_batches; batch; batch = batch->next) {
        empty(batch);
        batch->thread->batch = NULL;
    }
}

int batch_init(void) {
    if (pthread_atfork(NULL, NULL, forked) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}
