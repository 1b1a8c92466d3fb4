/* SPDX-License-Identifier: Apache-2.0
 *
 * Each hook calls, by its name, the function that it replaces: our library's own calls are not
 * replaced (got.h). So a hook works from the moment when it is called first until the end of the
 * process, whoever has copied its address: this library is never unloaded (setup.py links it so).
 *
 * dlsym() depends on who calls it (RTLD_NEXT). So its hook works before, and then jumps to it.
 * Nothing can be done after dlopen(), which depends on its caller too (for where to search).
 */
#include "memory/native_hooks.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/got.h"
#include "memory/account.h"
#include "memory/large.h"
#include "memory/native_cpp.h"

static _Atomic enum native_use s_wanted;

/* Once all libraries have their hooks: a block that one library takes, another may give back. */
_Atomic enum native_use native_use;

/* ---- Blocks ---- */

static void *leave_with(void *block, size_t size) {
    account_allocated(block, size);
    large_allocated(block, size);
    account_leave();
    return block;
}

static void *hook_malloc(size_t size) {
    return native_enter() ? leave_with(malloc(size), size) : malloc(size);
}

static void *hook_calloc(size_t n, size_t size) {
    return native_enter() ? leave_with(calloc(n, size), n * size) : calloc(n, size);
}

static void *hook_aligned_alloc(size_t alignment, size_t size) {
    return native_enter() ? leave_with(aligned_alloc(alignment, size), size)
                          : aligned_alloc(alignment, size);
}

static void *hook_memalign(size_t alignment, size_t size) {
    return native_enter() ? leave_with(memalign(alignment, size), size) : memalign(alignment, size);
}

static void *hook_valloc(size_t size) {
    return native_enter() ? leave_with(valloc(size), size) : valloc(size);
}

static int hook_posix_memalign(void **block, size_t alignment, size_t size) {
    bool counts = native_enter();
    int error = posix_memalign(block, alignment, size);

    if (counts)
        leave_with(error ? NULL : *block, size);
    return error;
}

static void hook_free(void *block) {
    bool counts = native_enter();

    if (counts)
        account_freed(block);
    free(block);
    if (counts)
        account_leave();
}

/* Without a result, and with a size of 0, the block may have been freed, or nothing was wrong. */
static void *leave_moved(uintptr_t block, const struct account_block *before, void *moved,
                         size_t size) {
    if (!moved && size)
        account_restore((void *)block, before);
    return leave_with(moved, size);
}

static void *hook_realloc(void *block, size_t size) {
    uintptr_t was = (uintptr_t)block;
    struct account_block before;

    if (!native_enter())
        return realloc(block, size);
    account_moves(block, &before);
    return leave_moved(was, &before, realloc(block, size), size);
}

static void *hook_reallocarray(void *block, size_t n, size_t size) {
    uintptr_t was = (uintptr_t)block;
    struct account_block before;

    if (!native_enter())
        return reallocarray(block, n, size);
    account_moves(block, &before);
    return leave_moved(was, &before, reallocarray(block, n, size), n && size ? n * size : 0);
}

/* ---- Mappings ---- */

static size_t whole_pages(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) & ~(page - 1);
}

/* To be called before; how much of it was known. Where it does not begin with a page, nothing is
 * going to happen. */
static size_t unmaps(void *at, size_t size) {
    size_t whole = whole_pages(size);

    return whole_pages((uintptr_t)at) == (uintptr_t)at ? account_unmapped(at, whole) : 0;
}

/* As linux/magic.h has them, which is not everywhere. */
static const uint32_t s_tmpfs = 0x01021994, s_hugetlbfs = 0x958458f6, s_ramfs = 0x858458f6;

/* A file that lies in memory: of shm_open(), memfd_create(), or of huge pages. */
static bool lies_in_memory(int file) {
    int error = errno;
    struct stat what;
    struct statfs where;
    bool lies = fstat(file, &what) == 0 && S_ISREG(what.st_mode) && fstatfs(file, &where) == 0 &&
                ((uint32_t)where.f_type == s_tmpfs || (uint32_t)where.f_type == s_hugetlbfs ||
                 (uint32_t)where.f_type == s_ramfs);

    errno = error;
    return lies;
}

static bool is_memory(int protection, int flags, int file) {
    return protection != PROT_NONE && (flags & MAP_ANONYMOUS || lies_in_memory(file));
}

static void before_mmap(void *at, size_t size, int flags) {
    if (flags & MAP_FIXED)
        unmaps(at, size);
}

static void *leave_mapped(void *found, size_t size, int protection, int flags, int file) {
    if (found != MAP_FAILED && is_memory(protection, flags, file)) {
        account_mapped(found, size);
        large_allocated(found, size);
    }
    account_leave();
    return found;
}

static void *hook_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    if (!native_enter())
        return mmap(at, size, protection, flags, file, offset);
    before_mmap(at, size, flags);
    return leave_mapped(mmap(at, size, protection, flags, file, offset), size, protection, flags,
                        file);
}

#ifdef __GLIBC__
static void *hook_mmap64(void *at, size_t size, int protection, int flags, int file,
                         off64_t offset) {
    if (!native_enter())
        return mmap64(at, size, protection, flags, file, offset);
    before_mmap(at, size, flags);
    return leave_mapped(mmap64(at, size, protection, flags, file, offset), size, protection, flags,
                        file);
}
#endif

static int hook_munmap(void *at, size_t size) {
    bool counts = native_enter();
    int ret;

    if (counts)
        unmaps(at, size);
    ret = munmap(at, size);
    if (counts)
        account_leave();
    return ret;
}

/* The pages of what was known go to another place, which may be the same. */
static void *moved(void *at, size_t old_size, size_t size, int flags, void *to) {
    bool known = unmaps(at, old_size) > 0;
    void *found;

    if (flags & MREMAP_FIXED)
        unmaps(to, size);
    found = mremap(at, old_size, size, flags, to);
    if (known && found == MAP_FAILED)
        account_mapped(at, old_size);
    else if (known)
        account_mapped(found, size);
    return found;
}

/* It stays where it is. Where there is no room behind it, it stays as it is: a program may try. */
static void *grown(void *at, size_t old_size, size_t size, int flags) {
    void *found = mremap(at, old_size, size, flags);

    if (found != MAP_FAILED && unmaps(at, old_size) > 0)
        account_mapped(at, size);
    return found;
}

static void *shrunk(void *at, size_t old_size, size_t size, int flags) {
    size_t kept = whole_pages(size);

    if (kept < old_size)
        unmaps((char *)at + kept, old_size - kept);
    return mremap(at, old_size, size, flags);
}

/* In the fifth argument the caller may have put what the flags do not ask for. */
static void *hook_mremap(void *at, size_t old_size, size_t size, int flags, ...) {
    void *to = NULL, *found;
    va_list rest;

    if (flags & ~MREMAP_MAYMOVE) {
        va_start(rest, flags);
        to = va_arg(rest, void *);
        va_end(rest);
    }
    if (!native_enter())
        return mremap(at, old_size, size, flags, to);
    if (flags & MREMAP_FIXED || (size > old_size && flags & MREMAP_MAYMOVE))
        found = moved(at, old_size, size, flags, to);
    else if (size > old_size)
        found = grown(at, old_size, size, flags);
    else
        found = shrunk(at, old_size, size, flags);
    account_leave();
    return found;
}

/* ---- Libraries that come later ---- */

static void attend_new(void);

JUMPS static void *hook_dlsym(void *restrict library, const char *restrict name) {
    attend_new();
    JUMP_TO(dlsym(library, name));
}

JUMPS static void *hook_dlvsym(void *restrict library, const char *restrict name,
                               const char *restrict version) {
    attend_new();
    JUMP_TO(dlvsym(library, name, version));
}

#define ROW(name)                                                                                  \
    { #name, (void *)(uintptr_t)hook_##name, NULL, NULL }

static struct got_hook s_hooks[] = {
    ROW(malloc), /* the first: it shows whose the others are */
    ROW(calloc),   ROW(realloc), ROW(reallocarray),   ROW(free), ROW(aligned_alloc),
    ROW(memalign), ROW(valloc),  ROW(posix_memalign), ROW(mmap),
#ifdef __GLIBC__
    ROW(mmap64),   ROW(dlvsym),
#endif
    ROW(munmap),   ROW(mremap),  ROW(dlsym),
};
static struct got s_got = {.hooks = s_hooks, .n_hooks = sizeof s_hooks / sizeof *s_hooks};

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static bool s_possible; /* written once */

/* The allocator has a new and a delete of its own. */
static _Atomic bool s_has_cpp;

/* What has been done. A call may take place before a library has looked up the function, and the
 * dynamic linker write its slot after us: a second round finds those. */
static _Atomic enum { OFF, PUT, PUT_TWICE } s_state;

static void attend_new(void) {
    int error = errno;

    if (s_wanted && got_has_news(&s_got)) {
        got_add(&s_got);
        if (s_has_cpp)
            got_add(&native_cpp);
    }
    errno = error;
}

static void *library_of(const void *address) {
    Dl_info info;

    return dladdr(address, &info) ? info.dli_fbase : NULL;
}

static void init(void) {
    s_possible = got_init(&s_got) &&
                 pthread_atfork(got_prefork, got_postfork_parent, got_postfork_child) == 0;
}

bool native_hooks_want(enum native_use use) {
    if (use)
        pthread_once(&s_once, init);
    s_wanted = s_possible ? use : NATIVE_UNUSED;
    if (native_use)
        native_use = s_wanted;
    return s_wanted == use;
}

/* An allocator other than the C library's is left alone: what it maps is not the program's. */
static void choose_avoided(void) {
    const void *allocator;
    bool is_libc;

    got_init(&s_got); /* another tool may have come or gone */
    allocator = s_hooks[0].original;
    is_libc = library_of(allocator) == library_of((void *)(uintptr_t)getauxval);
    s_got.avoided = native_cpp.avoided = is_libc ? NULL : allocator;
    got_init(&native_cpp);
    s_has_cpp = !is_libc && library_of(allocator) == library_of(native_cpp.hooks[0].original);
}

static _Atomic uint64_t s_replaced;

static void put(void) {
    bool overtaken = got_is_overtaken(&s_got);

    if (s_state == PUT_TWICE && !overtaken) {
        attend_new();
        return;
    }
    s_replaced += s_state != OFF && overtaken;
    if (s_state == OFF || overtaken)
        choose_avoided();
    if (s_has_cpp)
        got_put(&native_cpp);
    if (got_put(&s_got))
        s_state = s_state == OFF ? PUT : PUT_TWICE;
}

static void take_off(void) {
    if (s_state != OFF && got_undo(&native_cpp) && got_undo(&s_got))
        s_state = OFF;
}

void native_hooks_attend(void) {
    enum native_use wanted;

    do {
        wanted = s_wanted;
        if (wanted)
            put();
        else
            take_off();
        native_use = s_state != OFF ? wanted : NATIVE_UNUSED;
    } while (wanted != s_wanted); /* it may have changed, and another thread been faster */
}

uint64_t native_hooks_refused(void) {
    return s_got.refused;
}

uint64_t native_hooks_replaced(void) {
    return s_replaced;
}
