/* SPDX-License-Identifier: Apache-2.0
 *
 * What the account keeps of earlier moments, and how the rest of it is reached to read it.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_HISTORY_H
#define PYUSDT_MEMORY_HISTORY_H

#include "memory/blocks.h"
#include "memory/epochs.h"
#include "memory/growth.h"
#include "memory/highs.h"
#include "memory/mappings.h"
#include "memory/places.h"

/* The size of a block's row: the size itself, the epoch, and whether it is a sample. */
enum { ACCOUNT_SAMPLE_BIT = 63, ACCOUNT_EPOCH_BIT = ACCOUNT_SAMPLE_BIT - EPOCHS_LOG2 };
#define ACCOUNT_SIZES (((uint64_t)1 << ACCOUNT_EPOCH_BIT) - 1)

/* Zeros are none. */
struct history {
    struct epochs epochs;
    struct highs highs;
    struct growth growth;
};

struct account_parts {
    uint64_t opening; /* its number; 0: the account is closed */
    struct blocks *blocks;
    const struct mappings *mappings;
    struct places *places;
    struct history *history;
};

/* All of it, locked until it is unlocked, by the same thread. */
struct account_parts account_lock(void);
void account_unlock(void);

#endif
