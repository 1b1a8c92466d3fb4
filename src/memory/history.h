/* SPDX-License-Identifier: Apache-2.0
 *
 * What the account keeps of earlier moments, and how the rest of it is reached to read it.
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_HISTORY_H
#define PYUSDT_MEMORY_HISTORY_H

#include "memory/epochs.h"
#include "memory/growth.h"
#include "memory/highs.h"
#include "memory/known.h"
#include "memory/mappings.h"
#include "memory/places.h"

/* Zeros are none. */
struct history {
    struct epochs epochs;
    struct highs highs;
    struct growth growth;
};

struct account_parts {
    uint64_t opening; /* its number; 0: the account is closed */
    struct known *known;
    const struct mappings *mappings;
    struct places *places;
    struct history *history;
};

/* All of it, locked until it is unlocked, by the same thread. */
struct account_parts account_lock(void);
void account_unlock(void);

#endif
