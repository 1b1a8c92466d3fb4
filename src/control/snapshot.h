/* SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot of the counts of all threads' call trees, in the layout of pyusdt_counts.h.
 *
 * It is read in two steps. What only holds while no thread runs (stacks, names, steps) is copied
 * with the GIL held, in well under a millisecond. The nodes, which are many, are read after that
 * with or without the GIL: a node that was on a stack keeps the figures of the first step, so that
 * its time is there once. Other nodes may be a moment newer.
 *
 * A *shadow* is what a reader has already. With one, a snapshot has only what is new since.
 */
#ifndef PYUSDT_CONTROL_SNAPSHOT_H
#define PYUSDT_CONTROL_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/part.h"
#include "pyusdt_counts.h"

struct shadow;
struct snapshot;

/* The first step. `shadow` (NULL: the snapshot is whole) is borrowed and brought up to date by both
 * steps. NULL: no memory. GIL held; leaves no exception. */
struct snapshot *snapshot_begin(struct shadow *shadow);

/* The first step where the GIL is not to be had: without stacks, steps and new names. The caller
 * knows that no thread ends the recording meanwhile. No GIL. */
struct snapshot *snapshot_begin_blind(struct shadow *shadow);

/* The second step; false: no memory, or `stop` (NULL: never) has become true, and then the shadow
 * is worth nothing. No tree is freed meanwhile: the GIL, or thread_lock_trees(). */
bool snapshot_walk(struct snapshot *s, const atomic_bool *stop);

/* The bytes of a snapshot, borrowed until snapshot_free(). */
enum { SNAPSHOT_PIECES = 18 };
void snapshot_pieces(struct snapshot *s, struct part_piece pieces[SNAPSHOT_PIECES]);

/* The same in one block, owned by the caller. NULL: no memory. */
char *snapshot_joined(struct snapshot *s, size_t *size);

/* NULL is fine. */
void snapshot_free(struct snapshot *s);

/* A struct pyusdt_counts with its arrays: owned by the caller, who frees it. NULL: no memory. GIL
 * held; leaves no exception. */
char *snapshot_take(size_t *size);

#endif
