/* SPDX-License-Identifier: Apache-2.0
 *
 * Which memory is accounted for: the account, and the hooks that keep it; and the probe mem__large,
 * which fires in the same hooks.
 *
 * GIL held for what does not say otherwise. Nothing leaves an exception set.
 */
#ifndef PYUSDT_MEMORY_MEMORY_H
#define PYUSDT_MEMORY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Account for `kinds`, PYUSDT_MEMORY_*, from now on; 0: for none. The account is empty where there
 * was none; it goes on where there was, and once it has every block, it does until it ends. False:
 * Python's hooks cannot be set, and there is none. */
bool memory_account(uint32_t kinds);

/* What those who want `a` and those who want `b` want together: every block, if any of them does.
 */
uint32_t memory_join(uint32_t a, uint32_t b);

/* Whether the probe mem__large is watched, and call trees are kept for it: then it fires, for every
 * block from so many bytes on, with or without an account. */
void memory_watch_large(bool watched);
void memory_set_large(uint64_t bytes);

/* Bring the hooks of native memory to where they are wanted: called after what is above, and from
 * time to time. Where they are not wanted any more they count nothing, even before. No GIL: this
 * may wait for a library that another thread loads. */
void memory_attend(void);

/* Have back hooks of Python's allocators that another tool has put out: before counts are taken. */
void memory_renew(void);

/* How often hooks were found put out: what was allocated or freed until then is not known. Any
 * thread. */
uint64_t memory_replaced(void);

/* Slots of libraries that could not get their hooks of native memory. Any thread. */
uint64_t memory_refused(void);

/* What is accounted for now. Any thread, no GIL. */
uint32_t memory_accounted(void);

#endif
