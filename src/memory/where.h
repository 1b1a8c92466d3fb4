/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the running thread is: in which calling context, at which line.
 *
 * No GIL: a thread changes nothing but its own tree. No tree is freed meanwhile.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_WHERE_H
#define PYUSDT_MEMORY_WHERE_H

#include "base/compiler.h"
#include "calltree/tree.h"
#include "capture/thread_entry.h"

/* Zeros: in no thread of Python's. */
struct where {
    const struct pyusdt_node *node;
    int32_t line;  /* of the function, or, where that is in C, of what called it */
    uint32_t call; /* which of the calls in this context; it wraps around */
};

ALWAYS_INLINE struct where where_now(void) {
    const struct thread *thread = t_thread;
    const struct frame *top;

    if (UNLIKELY(!thread || thread->ended))
        return (struct where){0};
    top = tree_top(thread->tree);
    return (struct where){
        .node = &top->node->public,
        .line = top[top->leaf ? -1 : 0].node->public.current_line,
        .call = (uint32_t)atomic_load_explicit(&top->node->calls, memory_order_relaxed),
    };
}

#endif
