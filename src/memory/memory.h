/* SPDX-License-Identifier: Apache-2.0
 *
 * Which memory is accounted for: the account, and the hooks that keep it.
 *
 * GIL held for everything here. Nothing leaves an exception set.
 */
#ifndef PYUSDT_MEMORY_MEMORY_H
#define PYUSDT_MEMORY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Account for `kinds`, PYUSDT_MEMORY_*, from now on; 0: for none. The account is empty where there
 * was none; it goes on where there was. False: the hooks cannot be set, and there is none. */
bool memory_account(uint32_t kinds);

/* What is accounted for now. Any thread, no GIL. */
uint32_t memory_accounted(void);

#endif
