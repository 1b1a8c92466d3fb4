/* SPDX-License-Identifier: Apache-2.0
 *
 * A domain's allocator is a struct, which CPython reads without a lock and not at once: a thread
 * without the GIL may call, while we write it, a function of the one with the context of the other.
 * So we leave the context that we found as it is, and ours find their own way to the next.
 */
#include "memory/python_hooks.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "memory/account.h"
#include "memory/large.h"

/* PyMemAllocatorEx and PyMemAllocatorDomain, which are not in the limited API: the same in each
 * version. */
struct allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t n, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
};
enum { RAW, MEM, OBJ, DOMAINS };
typedef void (*allocator_access)(int domain, struct allocator *allocator);

/* What ours call: kept for good and never changed, for a thread without the GIL may be in it. There
 * are as many as other tools come and go in different orders. Written under the GIL. */
#define KEPT_MAX 16
static struct allocator s_kept[DOMAINS][KEPT_MAX];
static int s_n_kept[DOMAINS];
static const struct allocator *_Atomic s_next[DOMAINS]; /* of those: set before our hooks are */
static bool s_hooked[DOMAINS];                          /* ours were set, and not taken off */

/* Domains whose hooks this thread came through without being counted: see is_called(). */
static THREAD_LOCAL unsigned t_passed;

ALWAYS_INLINE bool enter(int domain) {
    if (LIKELY(account_enter()))
        return true;
    t_passed |= 1u << domain;
    return false;
}

ALWAYS_INLINE const struct allocator *next(int domain) {
    return atomic_load_explicit(&s_next[domain], memory_order_acquire);
}

ALWAYS_INLINE void *counted(bool counts, void *block, size_t size) {
    if (LIKELY(counts)) {
        account_allocated(block, size);
        large_allocated(block, size);
        account_leave();
    }
    return block;
}

ALWAYS_INLINE void *hook_malloc(int domain, size_t size) {
    const struct allocator *to = next(domain);
    bool counts = enter(domain);

    return counted(counts, to->malloc(to->ctx, size), size);
}

/* Where the product is no size, there is no block. */
ALWAYS_INLINE void *hook_calloc(int domain, size_t n, size_t size) {
    const struct allocator *to = next(domain);
    bool counts = enter(domain);

    return counted(counts, to->calloc(to->ctx, n, size), n * size);
}

ALWAYS_INLINE void *hook_realloc(int domain, void *old, size_t size) {
    const struct allocator *to = next(domain);
    struct account_block before;
    bool counts = enter(domain);
    void *block;

    if (counts)
        account_moves(old, &before);
    block = to->realloc(to->ctx, old, size);
    if (counts && !block)
        account_restore(old, &before);
    return counted(counts, block, size);
}

ALWAYS_INLINE void hook_free(int domain, void *block) {
    const struct allocator *to = next(domain);
    bool counts = !account_ignores(block) && enter(domain);

    if (LIKELY(counts))
        account_freed(block);
    to->free(to->ctx, block);
    if (LIKELY(counts))
        account_leave();
}

#define HOOKS(domain)                                                                              \
    static HOT void *malloc_##domain(void *ctx, size_t size) {                                     \
        (void)ctx;                                                                                 \
        return hook_malloc(domain, size);                                                          \
    }                                                                                              \
    static HOT void *calloc_##domain(void *ctx, size_t n, size_t size) {                           \
        (void)ctx;                                                                                 \
        return hook_calloc(domain, n, size);                                                       \
    }                                                                                              \
    static HOT void *realloc_##domain(void *ctx, void *block, size_t size) {                       \
        (void)ctx;                                                                                 \
        return hook_realloc(domain, block, size);                                                  \
    }                                                                                              \
    static HOT void free_##domain(void *ctx, void *block) {                                        \
        (void)ctx;                                                                                 \
        hook_free(domain, block);                                                                  \
    }
HOOKS(RAW)
HOOKS(MEM)
HOOKS(OBJ)

#define OURS(domain)                                                                               \
    [domain] = {NULL, malloc_##domain, calloc_##domain, realloc_##domain, free_##domain}
static const struct allocator s_ours[DOMAINS] = {OURS(RAW), OURS(MEM), OURS(OBJ)};

static allocator_access s_get, s_set;

/* Later on nothing is looked up: dlsym() may wait for a library whose constructor wants the GIL.
 * False: this Python does not export them. */
static bool find_access(void) {
    if (!s_get)
        s_get = (allocator_access)dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    if (!s_set)
        s_set = (allocator_access)dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    return s_get && s_set;
}

static bool is_ours(const struct allocator *a, int domain) {
    const struct allocator *ours = &s_ours[domain];

    return a->malloc == ours->malloc && a->calloc == ours->calloc && a->realloc == ours->realloc &&
           a->free == ours->free;
}

/* Whether an allocation of the domain comes to our hooks. They are there if they were set; but who
 * came before us may have left, and put back what it had found. */
static bool is_called(const struct allocator *newest, int domain) {
    bool counts;
    void *block;

    if (!s_hooked[domain])
        return false;
    counts = account_enter(); /* so that ours pass on */
    t_passed = 0;
    block = newest->malloc(newest->ctx, 1);
    newest->free(newest->ctx, block);
    if (counts)
        account_leave();
    return t_passed >> domain & 1;
}

/* The one that is kept for it; NULL: there is no room. */
static const struct allocator *keep(int domain, const struct allocator *newest) {
    struct allocator *kept = s_kept[domain];
    int n = s_n_kept[domain], i = 0;

    while (i < n && memcmp(&kept[i], newest, sizeof *newest) != 0)
        i++;
    if (i == KEPT_MAX)
        return NULL;
    if (i == n) {
        kept[i] = *newest;
        s_n_kept[domain]++;
    }
    return &kept[i];
}

static void hook(int domain, const struct allocator *newest) {
    const struct allocator *kept = keep(domain, newest);
    struct allocator ours = s_ours[domain];

    if (!kept)
        return;
    atomic_store_explicit(&s_next[domain], kept, memory_order_release);
    ours.ctx = newest->ctx;
    s_set(domain, &ours);
    s_hooked[domain] = true;
}

bool python_hooks_renew(void) {
    bool missed = false;

    for (int domain = 0; domain < DOMAINS; domain++) {
        struct allocator newest;

        s_get(domain, &newest);
        if (is_called(&newest, domain))
            continue;
        hook(domain, &newest);
        missed = true;
    }
    return missed;
}

bool python_hooks_on(void) {
    if (!find_access())
        return false;
    python_hooks_renew();
    return true;
}

void python_hooks_off(void) {
    for (int domain = 0; domain < DOMAINS; domain++) {
        struct allocator newest, found;

        if (!s_hooked[domain])
            continue;
        s_get(domain, &newest);
        if (!is_ours(&newest, domain))
            continue;
        found = *next(domain);
        s_set(domain, &found);
        s_hooked[domain] = false;
    }
}
