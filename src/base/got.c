/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks. The dynamic linker has two. One is held for as long as a dlopen() or dlsym() lasts, and
 * constructors run under it. The other is held while its list of libraries changes, and while
 * dl_iterate_phdr() walks it: then no library is unmapped.
 *
 * A library is in the list before it is relocated, and a slot that is written too early would be
 * overwritten, or its page become read-only in our hands. So a pass first notes how many libraries
 * have been loaded, then waits for the first lock. If the walk finds that number unchanged,
 * all that it finds is complete. Else it begins again.
 *
 * One pass at a time: s_pass. A callback of dl_iterate_phdr() that calls dlsym() may want s_pass
 * while it holds the second lock, which the holder of s_pass waits for. That must not be for ever:
 * whoever cannot have s_pass for a while leaves the work to a later pass.
 */
#include "base/got.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/image.h"
#include "base/maps.h"
#include "base/osthread.h"
#include "base/pages.h"

enum { TRIES = 8 };

static pthread_mutex_t s_pass = PTHREAD_MUTEX_INITIALIZER;
static THREAD_LOCAL bool t_forks; /* this thread has s_pass for a fork */

struct pass {
    struct got *got;
    void (*attend)(struct pass *pass, const struct image *image);
    struct maps maps;
    uint64_t loaded, unloaded;
    bool stale, done;

    /* Of the image that is attended to. */
    const struct image *image;
    size_t n_slots;
    bool strange;   /* calls through some slot lead elsewhere */
    uintptr_t page; /* which has been made writable, or 0 */
    int protection; /* that it had */
};

/* NULL: the slot is of no function of ours, or cannot be read. */
static struct got_hook *hook_of(const struct pass *pass, const struct image_slot *slot) {
    for (size_t i = 0; i < pass->got->n_hooks; i++) {
        struct got_hook *hook = &pass->got->hooks[i];
        int protection;

        if (hook->name[0] != slot->symbol[0] || strcmp(hook->name, slot->symbol) != 0)
            continue;
        protection = maps_protection(&pass->maps, slot->address, sizeof(void *));
        return protection >= 0 && protection & PROT_READ ? hook : NULL;
    }
    return NULL;
}

static void *read_slot(const struct image_slot *slot) {
    return __atomic_load_n((void **)slot->address, __ATOMIC_RELAXED);
}

/* Whether the first call is yet to come. Until then the slot leads back into the image, where the
 * dynamic linker is called. */
static bool is_unresolved(const struct image *image, const struct image_slot *slot,
                          const void *found) {
    return slot->called && (uintptr_t)found != slot->own && image_holds(image, (uintptr_t)found);
}

/* ---- Writing ---- */

static uintptr_t page_size(void) {
    return (uintptr_t)sysconf(_SC_PAGESIZE);
}

static void close_page(struct pass *pass) {
    if (pass->page)
        mprotect((void *)pass->page, page_size(), pass->protection);
    pass->page = 0;
}

/* Of a slot that can be read: hook_of() has looked. */
static bool open_page(struct pass *pass, uintptr_t address) {
    uintptr_t page = address & ~(page_size() - 1);
    int protection = maps_protection(&pass->maps, address, sizeof(void *));

    if (protection & PROT_WRITE || page == pass->page)
        return true;
    close_page(pass);
    if (mprotect((void *)page, page_size(), protection | PROT_WRITE) < 0)
        return false;
    pass->page = page;
    pass->protection = protection;
    return true;
}

/* Unless it has been changed since it was read. */
static void write_slot(struct pass *pass, const struct image_slot *slot, void *found, void *now) {
    if (open_page(pass, slot->address))
        __atomic_compare_exchange_n((void **)slot->address, &found, now, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
    else
        pass->got->refused++;
}

/* ---- What is done to a library ---- */

/* Where a program that is not position-independent has a stub for a function whose address it
 * takes, that is its address for all; calls alone lead to the function. */
static void find_original(void *arg, const struct image_slot *slot) {
    struct pass *pass = arg;
    struct got_hook *hook = hook_of(pass, slot);

    if (hook && slot->called && !is_unresolved(pass->image, slot, read_slot(slot)))
        hook->original = read_slot(slot);
    if (hook && slot->called)
        hook->own = (void **)slot->address;
}

static void judge(void *arg, const struct image_slot *slot) {
    struct pass *pass = arg;
    const struct got_hook *hook = hook_of(pass, slot);
    void *found;

    if (!hook || !hook->original)
        return;
    found = read_slot(slot);
    pass->n_slots++;
    pass->strange |= slot->called && found != hook->original && found != hook->replacement &&
                     !is_unresolved(pass->image, slot, found);
}

/* What is not resolved yet will lead to the original, unless the library finds another function of
 * that name in a scope of its own. Then others of its slots show it. */
static void replace(void *arg, const struct image_slot *slot) {
    struct pass *pass = arg;
    const struct got_hook *hook = hook_of(pass, slot);
    void *found;

    if (!hook || !hook->original)
        return;
    found = read_slot(slot);
    if (found == hook->original || (is_unresolved(pass->image, slot, found) && !pass->strange))
        write_slot(pass, slot, found, hook->replacement);
}

/* Not what was there, if that was not resolved yet: blocks that came from the original must go on
 * to go back to it. */
static void undo(void *arg, const struct image_slot *slot) {
    struct pass *pass = arg;
    const struct got_hook *hook = hook_of(pass, slot);

    if (hook && hook->original && read_slot(slot) == hook->replacement)
        write_slot(pass, slot, hook->replacement, hook->original);
}

static bool is_ours(const struct image *image) {
    return image_holds(image, (uintptr_t)&s_pass);
}

static bool is_to_be_left(const struct got *got, const struct image *image) {
    return is_ours(image) || (got->avoided && image_holds(image, (uintptr_t)got->avoided)) ||
           image_holds(image, getauxval(AT_BASE)) || image_holds(image, getauxval(AT_SYSINFO_EHDR));
}

static bool is_known(const struct got *got, const struct image *image) {
    for (size_t i = 0; i < got->n_known; i++)
        if (got->known[i].base == image->base && got->known[i].dynamic == image->dynamic)
            return true;
    return false;
}

/* Where there is no memory it remains new. */
static void learn(struct got *got, const struct image *image) {
    if (got->n_known == got->room) {
        size_t size = got->room * sizeof *got->known, grown = size ? 2 * size : 4096;
        struct got_library *known = pages_resize(got->known, size, grown);

        if (!known)
            return;
        got->known = known;
        got->room = grown / sizeof *known;
    }
    got->known[got->n_known++] = (struct got_library){image->base, image->dynamic};
}

static void attend_new(struct pass *pass, const struct image *image) {
    if (!pass->got->is_put || is_known(pass->got, image))
        return;
    learn(pass->got, image);
    if (is_to_be_left(pass->got, image))
        return;
    pass->n_slots = 0;
    pass->strange = false;
    image_visit(image, judge, pass);
    if (pass->n_slots)
        image_visit(image, replace, pass);
}

static void attend_end(struct pass *pass, const struct image *image) {
    if (!is_to_be_left(pass->got, image))
        image_visit(image, undo, pass);
}

/* ---- The walk ---- */

static int note_counts(struct dl_phdr_info *info, size_t size, void *arg) {
    struct pass *pass = arg;

    (void)size;
    pass->loaded = info->dlpi_adds;
    pass->unloaded = info->dlpi_subs;
    return 1;
}

static int visit_image(struct dl_phdr_info *info, size_t size, void *arg) {
    struct pass *pass = arg;
    struct image image;

    (void)size;
    pass->stale = info->dlpi_adds != pass->loaded;
    if (pass->stale)
        return 1;
    if (info->dlpi_subs != pass->got->unloaded)
        pass->got->n_known = 0; /* another library may be where one was */
    pass->got->unloaded = info->dlpi_subs;
    if (image_open(&image, info, &pass->maps)) {
        pass->image = &image;
        pass->attend(pass, &image);
        close_page(pass);
    }
    return 0;
}

/* dladdr() takes the lock that a dlopen() holds until its libraries are complete. */
static void await_loading(void) {
    Dl_info unused;

    dladdr((void *)&s_pass, &unused);
}

static void walk_complete(struct pass *pass) {
    if (!osthread_lock_soon(&s_pass))
        return;
    dl_iterate_phdr(visit_image, pass);
    pass->done = !pass->stale;
    if (pass->done)
        pass->got->loaded = pass->loaded;
    pthread_mutex_unlock(&s_pass);
}

static bool walk(struct got *got, void (*attend)(struct pass *, const struct image *)) {
    struct pass pass = {.got = got, .attend = attend};

    for (int i = 0; i < TRIES && !pass.done; i++) {
        dl_iterate_phdr(note_counts, &pass);
        await_loading();
        if (maps_read(&pass.maps) == 0)
            walk_complete(&pass);
        maps_free(&pass.maps);
    }
    return pass.done;
}

/* Our library is complete, since it runs. */
static int visit_own(struct dl_phdr_info *info, size_t size, void *arg) {
    struct pass *pass = arg;
    struct image image;

    (void)size;
    if (!image_open(&image, info, &pass->maps) || !is_ours(&image))
        return 0;
    pass->image = &image;
    image_visit(&image, find_original, pass);
    return 1;
}

static void find_originals(struct got *got) {
    struct pass pass = {.got = got};

    if (maps_read(&pass.maps) == 0)
        dl_iterate_phdr(visit_own, &pass);
    maps_free(&pass.maps);
}

bool got_init(struct got *got) {
    find_originals(got);
    for (size_t i = 0; i < got->n_hooks; i++)
        if (got->hooks[i].original)
            return true;
    return false;
}

bool got_is_overtaken(const struct got *got) {
    for (size_t i = 0; i < got->n_hooks; i++)
        if (got->hooks[i].original &&
            __atomic_load_n(got->hooks[i].own, __ATOMIC_RELAXED) != got->hooks[i].original)
            return true;
    return false;
}

bool got_has_news(const struct got *got) {
    struct pass now = {0};

    dl_iterate_phdr(note_counts, &now);
    return now.loaded != got->loaded || now.unloaded != got->unloaded;
}

/* Another tool may have put its functions into our own slots meanwhile, or taken them away. False:
 * s_pass could not be had. */
static bool set_put(struct got *got, bool is_put) {
    if (!osthread_lock_soon(&s_pass))
        return false;
    find_originals(got);
    got->is_put = is_put;
    got->n_known = 0;
    pthread_mutex_unlock(&s_pass);
    return true;
}

bool got_put(struct got *got) {
    return set_put(got, true) && walk(got, attend_new);
}

bool got_add(struct got *got) {
    return walk(got, attend_new);
}

bool got_undo(struct got *got) {
    return set_put(got, false) && walk(got, attend_end);
}

void got_prefork(void) {
    t_forks = osthread_lock_soon(&s_pass);
}

void got_postfork_parent(void) {
    if (t_forks)
        pthread_mutex_unlock(&s_pass);
    t_forks = false;
}

void got_postfork_child(void) {
    pthread_mutex_init(&s_pass, NULL);
    t_forks = false;
}
