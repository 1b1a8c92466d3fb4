/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of fixed size, in sets of eight: a frame has its set by its address. Nothing here keeps a
 * frame alive. One that is dropped while it is suspended may end without an event; its entry is
 * found by nobody, until a new frame at its address replaces it, or until it is the oldest of a
 * full set.
 */
#include "capture/suspended.h"

#include <Python.h>
#include <string.h>

enum { SETS_LOG2 = 14, WAYS = 8 };

struct entry {
    const void *frame; /* only compared; NULL: free */
    uint64_t began;
    uint32_t code;
};

static struct entry s_entries[1 << SETS_LOG2][WAYS];
static bool s_used;
uint64_t suspended_lost;

/* Entry of the frame; where it has none, a free one of its set, or the oldest. */
static struct entry *find(const void *frame) {
    uint64_t hash = (uintptr_t)frame * UINT64_C(0x9E3779B97F4A7C15);
    struct entry *set = s_entries[hash >> (64 - SETS_LOG2)], *best = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].frame == frame)
            return &set[i];
        if (best->frame && (!set[i].frame || set[i].began < best->began))
            best = &set[i];
    }
    return best;
}

void suspended_keep(const struct code_record *code, uint64_t began) {
    const void *frame = PyEval_GetFrame();
    struct entry *entry = find(frame);

    if (!frame)
        return;
    suspended_lost += entry->frame && entry->frame != frame;
    *entry = (struct entry){frame, began, code->id};
    s_used = true;
}

uint64_t suspended_began(const struct code_record *code) {
    const void *frame = s_used ? PyEval_GetFrame() : NULL;
    const struct entry *entry = frame ? find(frame) : NULL;

    return entry && entry->frame == frame && entry->code == code->id ? entry->began : 0;
}

void suspended_forget(void) {
    const void *frame = PyEval_GetFrame();
    struct entry *entry = find(frame);

    if (entry->frame == frame)
        entry->frame = NULL;
}

void suspended_clear(void) {
    if (s_used)
        memset(s_entries, 0, sizeof s_entries);
    s_used = false;
}
