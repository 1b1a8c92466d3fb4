/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reader of snapshots has already: for each node and function a signature of its figures,
 * so that only those that have changed are read out again.
 *
 * One thread at a time. A shadow that has `failed`, for want of memory, is worth nothing any more.
 *
 * Private to: control
 */
#ifndef PYUSDT_CONTROL_SHADOW_H
#define PYUSDT_CONTROL_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of small numbers. Zeros are an empty one. */
struct bits {
    unsigned char *data; /* owned */
    size_t size;
};

/* Put `i` into the set; false: it was there. Without memory `failed` is set, and it is true. */
bool bits_add(struct bits *bits, size_t i, bool *failed);
bool bits_has(const struct bits *bits, size_t i);
void bits_free(struct bits *bits);

/* Signatures by number; 0: none yet. Zeros are an empty array. */
struct signatures {
    uint64_t *data; /* owned */
    size_t room;
};

struct shadow_thread {
    struct shadow_thread *next; /* owned */
    uint32_t serial;
    struct signatures nodes;     /* by index */
    struct signatures functions; /* by id of code */
    struct signatures charges;   /* by number */
    struct signatures lined;     /* of the lines of functions, by id of code */
};

struct shadow {
    bool signs;        /* false: it is for one snapshot only, and keeps no signatures */
    bool failed;       /* no memory */
    struct bits named; /* functions, by id of code */
    size_t n_steps;
    uint64_t resident_ns;          /* of the last point in time */
    struct signatures memory;      /* by number of the place */
    struct shadow_thread *threads; /* owned */
};

/* NULL: no memory. Freed by shadow_free(); NULL is fine there. */
struct shadow *shadow_new(void);
void shadow_free(struct shadow *shadow);

/* That of the thread, made if it is not there. NULL: no memory, and `failed` is set. */
struct shadow_thread *shadow_thread_of(struct shadow *shadow, uint32_t serial);

/* Mix another figure into a signature. */
static inline uint64_t shadow_mix(uint64_t signature, uint64_t figure) {
    return (signature ^ figure) * 0x9E3779B97F4A7C15u + (signature >> 29);
}

/* Keep the signature of number `i`; false: it had the same one. */
bool shadow_is_new(struct shadow *shadow, struct signatures *known, size_t i, uint64_t signature);

#endif
