/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout that tracers read: an interface, which only grows at its end.
 *
 *     slot ----> node ----parent----> node ... ----parent----> node (index 0, "(thread)")
 *                  \--qualname, file, module---> NUL-terminated UTF-8
 *
 * The probe thread__state reports each thread's `slot`: the address of a word that holds the
 * address of the thread's current node. It fires at a thread's first event, without a name, and for
 * all threads when a tracer attaches and once a second, so that no tracer comes too late. In
 * bpftrace, in a kernel event on that thread (of 64-bit words, parent is the first):
 *
 *     $node = (uint64 *)uptr(*(uint64 *)uptr(@slot[tid]));
 *     $caller = (uint64 *)uptr($node[0]);
 *     str($node[1], 48), str($caller[1], 48)        qualname of the function and of its caller
 *
 * The slot is valid while the thread lives. Nodes and strings are never moved, never unmapped and
 * never reused for another name while a tracer may hold them. They are immutable but for one word,
 * current_line, which the thread itself writes. Only 64-bit systems.
 */
#ifndef PYUSDT_NODE_H
#define PYUSDT_NODE_H

#include <stddef.h>
#include <stdint.h>

#define PYUSDT_NODE_PARENT 0
#define PYUSDT_NODE_QUALNAME 8
#define PYUSDT_NODE_FILE 16
#define PYUSDT_NODE_ID 24
#define PYUSDT_NODE_LINE 28
#define PYUSDT_NODE_DEPTH 32
#define PYUSDT_NODE_INDEX 36
#define PYUSDT_NODE_MODULE 40
#define PYUSDT_NODE_CURRENT_LINE 48

/* The ids of nodes without a code object. In "(others)" is what there was no memory for a context
 * of: its parent is "(thread)", its index 1, and a tree may have several. */
#define PYUSDT_ID_THREAD 0u
#define PYUSDT_ID_OTHERS UINT32_MAX

struct pyusdt_node {
    const struct pyusdt_node *parent; /* the caller's context; NULL above "(thread)" */
    const char *qualname;
    const char *file;
    uint32_t id;        /* of the code object, as in code__new, or PYUSDT_ID_* */
    int32_t line;       /* co_firstlineno */
    uint32_t depth;     /* 0 for "(thread)", 1 for the outermost function */
    uint32_t index;     /* in this tree: 0, 1, 2 ... in the order of appearance */
    const char *module; /* "" if unknown */
    /* The line at which the newest call of this context stands; 0 where it runs no call, has not
     * come to a line yet, or its lines are not recorded. */
    int32_t current_line;
    uint32_t reserved;
};

#ifdef __cplusplus
#define PYUSDT_ASSERT static_assert
#else
#define PYUSDT_ASSERT _Static_assert
#endif
#define PYUSDT_AT(field, offset)                                                                   \
    PYUSDT_ASSERT(offsetof(struct pyusdt_node, field) == (offset), "tracers read " #field " here")
PYUSDT_AT(parent, PYUSDT_NODE_PARENT);
PYUSDT_AT(qualname, PYUSDT_NODE_QUALNAME);
PYUSDT_AT(file, PYUSDT_NODE_FILE);
PYUSDT_AT(id, PYUSDT_NODE_ID);
PYUSDT_AT(line, PYUSDT_NODE_LINE);
PYUSDT_AT(depth, PYUSDT_NODE_DEPTH);
PYUSDT_AT(index, PYUSDT_NODE_INDEX);
PYUSDT_AT(module, PYUSDT_NODE_MODULE);
PYUSDT_AT(current_line, PYUSDT_NODE_CURRENT_LINE);
PYUSDT_ASSERT(sizeof(struct pyusdt_node) == 56, "the interface grows only at its end");
#undef PYUSDT_AT
#undef PYUSDT_ASSERT

#endif
