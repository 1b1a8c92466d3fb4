/* SPDX-License-Identifier: Apache-2.0
 *
 * Places: what each calling context, at each line, has allocated and freed, what of it is alive,
 * and what was when all places together had the most.
 *
 * The peak, without a log of it. The newest peak lasts from the allocation by which the total came
 * to the most there has been, to the next free. Then it has a number, and every place has at the
 * peak what it has alive. A place that changes for the first time since then first keeps that, with
 * the number. So a change costs one comparison, and the sum over all places is the peak, exactly.
 *
 * One thread at a time. No Python.h, no malloc().
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_PLACES_H
#define PYUSDT_MEMORY_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "pyusdt_node.h"

struct calltree;

/* Bytes and blocks. */
struct amount {
    uint64_t bytes, blocks;
};

struct place {
    _Alignas(64) struct amount allocated;
    struct amount freed;
    struct amount temporary; /* of those freed: by the call that had allocated them */
    uint64_t peak;
    uint64_t biggest;
    struct amount at_peak;          /* as of the peak number `peak`; see places_at_peak() */
    const struct calltree *tree;    /* borrowed; NULL: no thread of Python's */
    const struct pyusdt_node *node; /* of the tree, or NULL */
    int32_t line;                   /* at which the program stood; 0: not known */
    uint32_t number;                /* 0, 1, 2 ... in the order of appearance */
};

enum { PLACES_IN_CHUNK = 512, PLACES_CHUNKS = 4096, PLACES_RECENT = 256 };

/* Zeros are no places. */
struct places {
    struct place *chunks[PLACES_CHUNKS]; /* owned; what is in them stays where it is */
    struct place *recent[PLACES_RECENT]; /* borrowed from them */
    struct place *last;                  /* the one that allocated last; NULL: none yet */
    uint32_t *table;                     /* owned; numbers + 1; open addressing */
    uint32_t table_log2, n;
    struct amount live, most; /* of all places; bytes decide which is the most */
    uint64_t allocated;       /* bytes, by all of them */
    uint64_t high;            /* of bytes alive since places_lower(); at most `most` */
    uint64_t peak;            /* number of the newest peak that is over */
    bool rising;              /* the newest peak is now */
};

/* The place of a node of a tree and a line; NULL: no memory. It stays where it is. */
struct place *places_look_up(struct places *p, const struct calltree *tree,
                             const struct pyusdt_node *node, int32_t line);

ALWAYS_INLINE struct place **places_recent_at(struct places *p, const struct pyusdt_node *node,
                                              int32_t line) {
    uint64_t at = ((uint64_t)(uintptr_t)node >> 7) + (uint32_t)line;

    return &p->recent[at % PLACES_RECENT];
}

ALWAYS_INLINE bool place_is(const struct place *place, const struct pyusdt_node *node,
                            int32_t line) {
    return LIKELY(place && place->node == node && place->line == line);
}

/* The same, if they have been asked for lately; else NULL. The one that was last is known before
 * the node and the line are, which are many loads away: the processor goes on with it. */
ALWAYS_INLINE struct place *places_recent(struct places *p, const struct pyusdt_node *node,
                                          int32_t line) {
    struct place *place = p->last;

    if (place_is(place, node, line))
        return place;
    place = *places_recent_at(p, node, line);
    if (UNLIKELY(!place_is(place, node, line)))
        return NULL;
    return p->last = place;
}

/* The same, of a node and a line that have perhaps been asked for lately. */
ALWAYS_INLINE struct place *places_of(struct places *p, const struct calltree *tree,
                                      const struct pyusdt_node *node, int32_t line) {
    struct place *place = places_recent(p, node, line);

    if (UNLIKELY(!place))
        place = *places_recent_at(p, node, line) = places_look_up(p, tree, node, line);
    return place;
}

static inline struct place *places_number(const struct places *p, uint32_t number) {
    return &p->chunks[number / PLACES_IN_CHUNK][number % PLACES_IN_CHUNK];
}

/* The same, where it may be the one that allocated last. */
ALWAYS_INLINE struct place *places_number_recent(const struct places *p, uint32_t number) {
    return p->last && p->last->number == number ? p->last : places_number(p, number);
}

static inline struct amount places_live(const struct place *place) {
    return (struct amount){place->allocated.bytes - place->freed.bytes,
                           place->allocated.blocks - place->freed.blocks};
}

/* What of it was alive when all places together had the most. */
static inline struct amount places_at_peak(const struct places *p, const struct place *place) {
    return p->rising || place->peak != p->peak ? places_live(place) : place->at_peak;
}

ALWAYS_INLINE void places_changes(const struct places *p, struct place *place) {
    if (LIKELY(place->peak == p->peak))
        return;
    place->at_peak = places_live(place);
    place->peak = p->peak;
}

ALWAYS_INLINE void places_add(struct places *p, struct place *place, struct amount amount) {
    if (!p->rising)
        places_changes(p, place);
    place->allocated.bytes += amount.bytes;
    place->allocated.blocks += amount.blocks;
    p->allocated += amount.bytes;
    p->live.bytes += amount.bytes;
    p->live.blocks += amount.blocks;
    if (UNLIKELY(p->live.bytes >= p->high)) { /* else it is not the most either */
        p->high = p->live.bytes;
        if (p->high >= p->most.bytes) {
            p->most = p->live;
            p->rising = true;
        }
    }
}

/* The most bytes that were alive since the last time this was called; from now on anew. */
static inline uint64_t places_lower(struct places *p) {
    uint64_t high = p->high > p->live.bytes ? p->high : p->live.bytes;

    p->high = p->live.bytes;
    return high;
}

ALWAYS_INLINE void places_remove(struct places *p, struct place *place, struct amount amount) {
    if (UNLIKELY(p->rising)) {
        p->rising = false;
        p->peak++;
    }
    places_changes(p, place);
    place->freed.bytes += amount.bytes;
    place->freed.blocks += amount.blocks;
    p->live.bytes -= amount.bytes;
    p->live.blocks -= amount.blocks;
}

/* What was removed last, and no more than that, is there again. */
static inline void places_put_back(struct places *p, struct place *place, struct amount amount) {
    place->freed.bytes -= amount.bytes;
    place->freed.blocks -= amount.blocks;
    p->live.bytes += amount.bytes;
    p->live.blocks += amount.blocks;
}

/* Forgets all and gives the memory back. */
void places_clear(struct places *p);

#endif
