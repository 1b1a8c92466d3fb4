/* SPDX-License-Identifier: Apache-2.0 */
#include "calltree/budget.h"

#include <stdlib.h>
#include <string.h>

/* It is looked at first, so that a spent one costs no shared write. */
void *budget_claim(struct budget budget, size_t size) {
    int64_t bytes = (int64_t)size;
    void *memory = NULL;

    if (atomic_load_explicit(budget.left, memory_order_relaxed) < bytes)
        return NULL;
    if (atomic_fetch_sub_explicit(budget.left, bytes, memory_order_relaxed) >= bytes)
        memory = aligned_alloc(64, size);
    if (!memory) {
        atomic_fetch_add_explicit(budget.left, bytes, memory_order_relaxed);
        return NULL;
    }
    *budget.spent += bytes;
    return memset(memory, 0, size);
}

void budget_give_back(struct budget budget, void *memory, size_t size) {
    free(memory);
    *budget.spent -= (int64_t)size;
    atomic_fetch_add_explicit(budget.left, (int64_t)size, memory_order_relaxed);
}
