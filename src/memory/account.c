/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/account.h"

_Atomic bool account_is_open;
THREAD_LOCAL bool account_t_within;

static _Atomic uint64_t s_bytes, s_blocks;

void account_allocated(void *address, size_t size) {
    if (!address)
        return;
    atomic_fetch_add(&s_bytes, size);
    atomic_fetch_add(&s_blocks, 1);
}

void account_freed(void *address) {
    (void)address;
}

void account_moves(void *address, struct account_block *before) {
    before->known = address != NULL;
}

void account_restore(void *address, const struct account_block *before) {
    (void)address, (void)before;
}

void account_mapped(void *address, size_t size) {
    account_allocated(address, size);
}

void account_unmapped(void *address, size_t size) {
    (void)address, (void)size;
}

bool account_open(void) {
    atomic_store(&s_bytes, 0);
    atomic_store(&s_blocks, 0);
    atomic_store(&account_is_open, true);
    return true;
}

void account_close(void) {
    atomic_store(&account_is_open, false);
}

void account_totals(struct account_totals *totals) {
    uint64_t bytes = atomic_load(&s_bytes), blocks = atomic_load(&s_blocks);

    *totals = (struct account_totals){bytes, blocks, bytes, blocks};
}
