/* SPDX-License-Identifier: Apache-2.0
 *
 * Another thread may take over this one's stack meanwhile, under the GIL, which this one need not
 * have. So the slot is read, as tracers do, and nothing else of the tree. It is not freed:
 * thread_keep_trees() was called before.
 */
#include "memory/large.h"

#include "capture/thread_entry.h"
#include "probe/probes.h"

_Atomic size_t large_from = SIZE_MAX;

/* Written under the GIL. */
static size_t s_bytes = SIZE_MAX;
static bool s_watched;

/* Where the running thread is. NULL: in no thread of Python's. */
static const struct pyusdt_node *node_now(void) {
    const struct thread *thread = t_thread;

    if (!thread || t_over)
        return NULL;
    return atomic_load_explicit(&thread->tree->current, memory_order_acquire);
}

/* At the line where the function stands, if that is known. */
static void fire_at(const struct pyusdt_node *node, const void *block, size_t size) {
    int32_t line = __atomic_load_n(&node->current_line, __ATOMIC_RELAXED);

    probe_mem__large(node->qualname, node->file, line ? line : node->line, node->id, size, block);
}

NOINLINE void large_fire(const void *block, size_t size) {
    const struct pyusdt_node *node;

    if (!block || t_hidden || !probe_on(PROBE_mem__large))
        return;
    node = node_now();
    if (node)
        fire_at(node, block, size);
    else
        probe_mem__large("(native)", "", 0, PYUSDT_ID_THREAD, size, block);
}

static void follow(void) {
    large_from = s_watched ? s_bytes : SIZE_MAX;
}

void large_watch(bool watched) {
    s_watched = watched;
    follow();
}

void large_set(size_t bytes) {
    s_bytes = bytes;
    follow();
}
