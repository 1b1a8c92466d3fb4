/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is charged to a budget which many trees share.
 *
 * Private to: calltree
 */
#ifndef PYUSDT_CALLTREE_BUDGET_H
#define PYUSDT_CALLTREE_BUDGET_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* One kind of memory of one tree. Both are borrowed. */
struct budget {
    _Atomic int64_t *left; /* shared */
    int64_t *spent;        /* what this tree took out of it; the owner's */
};

/* `size` bytes, a multiple of 64, aligned and zeroed; NULL when the budget or the memory is spent.
 * Owned, for free(), or to be given back. */
void *budget_claim(struct budget budget, size_t size);
void budget_give_back(struct budget budget, void *memory, size_t size);

#endif
