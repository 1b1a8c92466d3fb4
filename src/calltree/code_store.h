/* SPDX-License-Identifier: Apache-2.0
 *
 * The store of code records: equal ones are one, and dead ones are kept for a while.
 * No Python.h. The caller serializes (the GIL does).
 */
#ifndef PYUSDT_CALLTREE_CODE_STORE_H
#define PYUSDT_CALLTREE_CODE_STORE_H

#include "calltree/code_record.h"

/* Records without a code object that are kept, so that a function made again keeps its id. */
#define CODE_STORE_DEAD_MAX 4096

/* The record equal to `key` (whose id, pins and rejected are ignored), with one more reference.
 * Strings are copied. `*made` is set if it is new. NULL: out of memory. */
struct code_record *code_store_acquire(const struct code_record *key, bool *made);

/* Give a reference back. The record may be freed at once or at any later code_store_release(). */
void code_store_release(struct code_record *record);

/* Call `visit` for every record, in no order. `visit` must not acquire or release. */
void code_store_each(void (*visit)(struct code_record *record, void *context), void *context);

#endif
