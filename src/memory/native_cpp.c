/* SPDX-License-Identifier: Apache-2.0
 *
 * A new that finds no memory throws: so nothing of ours is under way while it runs.
 *
 * The names are those that C++ compilers give these functions where size_t is unsigned long. They
 * are weak: where nothing has them as this library is loaded, there are no hooks.
 */
#include "memory/native_cpp.h"

#include <stddef.h>

#include "memory/account.h"
#include "memory/large.h"
#include "memory/native_use.h"

static void *came(void *block, size_t size) {
    if (native_enter()) {
        account_allocated(block, size);
        large_allocated(block, size);
        account_leave();
    }
    return block;
}

/* Before the block goes. */
static void goes(void *block) {
    if (native_enter()) {
        account_freed(block);
        account_leave();
    }
}

/* Names; parameters behind the size, or the block, and the same as arguments. */
#define NEWS(X)                                                                                    \
    X(_Znwm, (size_t size), (size))                                                                \
    X(_Znam, (size_t size), (size))                                                                \
    X(_ZnwmRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))                    \
    X(_ZnamRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))                    \
    X(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment))                    \
    X(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
#define DELETES(X)                                                                                 \
    X(_ZdlPv, (void *block), (block))                                                              \
    X(_ZdaPv, (void *block), (block))                                                              \
    X(_ZdlPvm, (void *block, size_t size), (block, size))                                          \
    X(_ZdaPvm, (void *block, size_t size), (block, size))                                          \
    X(_ZdlPvSt11align_val_t, (void *block, size_t alignment), (block, alignment))                  \
    X(_ZdaPvSt11align_val_t, (void *block, size_t alignment), (block, alignment))                  \
    X(_ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment),                        \
      (block, size, alignment))                                                                    \
    X(_ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment),                        \
      (block, size, alignment))

#define HOOK_NEW(name, parameters, arguments)                                                      \
    __attribute__((weak)) void *name parameters;                                                   \
    static void *hook##name parameters {                                                           \
        return came(name arguments, size);                                                         \
    }
#define HOOK_DELETE(name, parameters, arguments)                                                   \
    __attribute__((weak)) void name parameters;                                                    \
    static void hook##name parameters {                                                            \
        goes(block);                                                                               \
        name arguments;                                                                            \
    }
NEWS(HOOK_NEW)
DELETES(HOOK_DELETE)

#define ROW(name, parameters, arguments) {#name, (void *)(uintptr_t)hook##name, NULL, NULL},
static struct got_hook s_hooks[] = {NEWS(ROW) DELETES(ROW)};
struct got native_cpp = {.hooks = s_hooks, .n_hooks = sizeof s_hooks / sizeof *s_hooks};
