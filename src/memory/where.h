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

/* Zeros: in no thread that has a call tree. */
struct where {
    const struct calltree *tree;
    const struct pyusdt_node *node;
    int32_t line;  /* of the function, or, where that is in C, of what called it */
    bool hidden;   /* it does our own work */
    uint32_t call; /* which of the calls in this context; it wraps around */
};

/* Which of the calls in this context was the last. */
ALWAYS_INLINE uint32_t where_call(const struct pyusdt_node *node) {
    const struct node *it = (const struct node *)node;

    return (uint32_t)atomic_load_explicit(&it->calls, memory_order_relaxed);
}

ALWAYS_INLINE struct where where_now(void) {
    const struct thread *thread = t_thread;
    const struct frame *top, *at;

    if (UNLIKELY(!thread || t_over))
        return (struct where){.hidden = t_hidden};
    at = top = tree_top(thread->tree);
    if (UNLIKELY(top->leaf))
        at = node_is_given_up(top->node) ? NULL : top - 1; /* else who called it is not known */
    return (struct where){
        .tree = thread->tree,
        .node = &top->node->public,
        .line = at ? at->node->public.current_line : 0,
        .call = where_call(&top->node->public),
    };
}

#endif
