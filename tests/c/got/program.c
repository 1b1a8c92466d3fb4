/* SPDX-License-Identifier: Apache-2.0
 *
 * Replaces give() and take() in libraries that were built for it (library.c), and undoes it. Its
 * argument is their directory.
 */
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/image.h"
#include "base/maps.h"
#include "ours.h"

int give(void);
int take(void);

typedef int (*function)(void);
struct pair {
    function give, take;
};

sem_t slow_has_begun, slow_may_end;

static const char *s_directory;

struct library {
    void *handle;
    function give, take;
    struct pair *writable;
    const struct pair *readable;
};

static void *open_by(const char *name, void *(*open)(const char *path)) {
    char path[4096];
    void *handle;

    snprintf(path, sizeof path, "%s/lib%s.so", s_directory, name);
    handle = open(path);
    if (!handle)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(handle);
    return handle;
}

static void *open_plainly(const char *path) {
    return dlopen(path, RTLD_LAZY | RTLD_LOCAL);
}

static void *open_apart(const char *path) {
    return dlmopen(LM_ID_NEWLM, path, RTLD_LAZY);
}

static void *open_deeply(const char *path) {
    return dlopen(path, RTLD_LAZY | RTLD_DEEPBIND);
}

static void *find(void *handle, const char *name, const char *what) {
    char symbol[100];
    void *found;

    snprintf(symbol, sizeof symbol, "%s_%s", name, what);
    found = dlsym(handle, symbol);
    CHECK(found);
    return found;
}

static struct library load(const char *name, void *(*open)(const char *path)) {
    void *handle = open_by(name, open);
    const struct pair *(*readable)(void) =
        (const struct pair *(*)(void))(uintptr_t)find(handle, name, "readable");

    return (struct library){.handle = handle,
                            .give = (function)(uintptr_t)find(handle, name, "calls_give"),
                            .take = (function)(uintptr_t)find(handle, name, "calls_take"),
                            .writable = find(handle, name, "writable"),
                            .readable = readable()};
}

/* What calls through each kind of slot give, above what they gave at first. */
static void check_all(const struct library *library, int expected) {
    CHECK_EQUAL(library->give(), 1 + expected);
    CHECK_EQUAL(library->take(), 2 + expected);
    CHECK_EQUAL(library->writable->give(), 1 + expected);
    CHECK_EQUAL(library->readable->give(), 1 + expected);
    CHECK_EQUAL(library->readable->take(), 2 + expected);
}

static int protection_of(const void *address) {
    struct maps maps;
    int protection;

    CHECK(maps_read(&maps) == 0);
    protection = maps_protection(&maps, (uintptr_t)address, sizeof(void *));
    maps_free(&maps);
    return protection;
}

/* Where its code takes the address, a program that is not position-independent has a stub for the
 * function, to which the pointers of all libraries lead. */
static function program_gives(void) {
    return give;
}

static void test_libraries_that_are_there(void) {
    struct library lazy = load("lazy", open_plainly), now = load("now", open_plainly);

    CHECK_EQUAL(lazy.give(), 1); /* resolved now; take() is not */
    CHECK(got_put(&ours_got));
    check_all(&lazy, REPLACED);
    check_all(&now, REPLACED);
    CHECK_EQUAL(give() + take(), 3 + 2 * REPLACED); /* those of the program are */
    CHECK_EQUAL(program_gives()(), 1 + REPLACED);
    CHECK_EQUAL(ours_give() + ours_take(), 3); /* and our own never */
    CHECK(got_undo(&ours_got));
    CHECK_EQUAL(give() + take(), 3);
    CHECK_EQUAL(program_gives()(), 1);
    check_all(&lazy, 0);
    check_all(&now, 0);
    dlclose(lazy.handle);
    dlclose(now.handle);
}

static void test_pages_are_as_they_were(void) {
    struct library now = load("now", open_plainly);
    const struct pair *readable = now.readable;

    CHECK_EQUAL(protection_of(readable), PROT_READ);
    CHECK(got_put(&ours_got));
    CHECK_EQUAL(protection_of(readable), PROT_READ);
    CHECK_EQUAL(protection_of(now.writable), PROT_READ | PROT_WRITE);
    CHECK(got_undo(&ours_got));
    CHECK_EQUAL(protection_of(readable), PROT_READ);
    dlclose(now.handle);
}

static void test_pages_that_cannot_be_written_stay(void) {
    struct library now = load("now", open_plainly);
    uintptr_t page = (uintptr_t)now.readable & -(uintptr_t)sysconf(_SC_PAGESIZE);

    CHECK(mprotect((void *)page, 1, PROT_NONE) == 0);
    CHECK(got_put(&ours_got));
    CHECK_EQUAL(protection_of(now.readable), PROT_NONE);
    CHECK(got_undo(&ours_got));
    CHECK(mprotect((void *)page, 1, PROT_READ) == 0);
    CHECK_EQUAL(ours_got.refused, 0);
    CHECK(got_put(&ours_got));
    check_all(&now, REPLACED);
    CHECK(got_undo(&ours_got));
    CHECK(mprotect((void *)page, 1, PROT_READ) == 0);
    check_all(&now, 0);
    dlclose(now.handle);
}

static void test_libraries_that_come_later(void) {
    struct library first, second;

    CHECK(got_put(&ours_got));
    CHECK(!got_has_news(&ours_got));
    first = load("lazy", open_plainly);
    second = load("now", open_plainly);
    check_all(&first, 0);
    CHECK(got_has_news(&ours_got));
    CHECK(got_add(&ours_got));
    CHECK(!got_has_news(&ours_got));
    check_all(&first, REPLACED);
    check_all(&second, REPLACED);
    /* Only those that are new are looked at: what is changed here stays. */
    first.writable->give = second.writable->give = (function)(uintptr_t)ours_got.hooks[0].original;
    CHECK(got_add(&ours_got));
    CHECK_EQUAL(first.writable->give(), 1);
    CHECK(got_put(&ours_got));
    check_all(&first, REPLACED);
    CHECK(got_undo(&ours_got));
    CHECK(got_add(&ours_got)); /* too late */
    check_all(&first, 0);
    check_all(&second, 0);
    dlclose(first.handle);
    dlclose(second.handle);
}

/* A library is unmapped, and perhaps another one loaded to the same place. */
static void test_libraries_that_go(void) {
    struct library gone, again;

    gone = load("lazy", open_plainly);
    CHECK(got_put(&ours_got));
    dlclose(gone.handle);
    again = load("lazy", open_plainly);
    check_all(&again, 0);
    CHECK(got_has_news(&ours_got));
    CHECK(got_add(&ours_got));
    check_all(&again, REPLACED);
    dlclose(again.handle);
    CHECK(got_undo(&ours_got));
}

/* What another tool has put in our place is its own. */
static int other_give(void) {
    return 50;
}

static void test_what_others_have_put_stays(void) {
    struct library library = load("lazy", open_plainly);

    CHECK(got_put(&ours_got));
    library.writable->give = other_give;
    CHECK(got_undo(&ours_got));
    CHECK_EQUAL(library.writable->give(), 50);
    CHECK(got_put(&ours_got));
    CHECK_EQUAL(library.writable->give(), 50);
    CHECK_EQUAL(library.give(), 1 + REPLACED);
    CHECK(got_undo(&ours_got));
    dlclose(library.handle);
}

struct place {
    function now;
};

static void set_slot(void *arg, const struct image_slot *slot) {
    const struct place *place = arg;
    uintptr_t page = slot->address & -(uintptr_t)sysconf(_SC_PAGESIZE);

    if (strcmp(slot->symbol, "give") != 0)
        return;
    CHECK(mprotect((void *)page, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE) == 0);
    *(function *)slot->address = place->now;
}

static int set_slot_of_ours(struct dl_phdr_info *info, size_t size, void *now) {
    struct place place = {.now = *(function *)now};
    struct image image;
    struct maps maps;

    (void)size;
    if (!strstr(info->dlpi_name, "libours.so"))
        return 0;
    CHECK(maps_read(&maps) == 0);
    CHECK(image_open(&image, info, &maps));
    image_visit(&image, set_slot, &place);
    maps_free(&maps);
    return 1;
}

/* It puts its functions into all libraries, ours among them: we go on by calling them. */
static void test_another_tool_that_comes_and_goes(void) {
    struct library library = load("lazy", open_plainly);
    function others = other_give, real = (function)(uintptr_t)ours_got.hooks[0].original;

    CHECK(!got_is_overtaken(&ours_got));
    CHECK(dl_iterate_phdr(set_slot_of_ours, &others));
    library.writable->give = others;
    CHECK(got_is_overtaken(&ours_got));
    CHECK(got_put(&ours_got));
    CHECK(!got_is_overtaken(&ours_got));
    CHECK_EQUAL(library.writable->give(), 50 + REPLACED);
    CHECK(dl_iterate_phdr(set_slot_of_ours, &real));
    CHECK(got_is_overtaken(&ours_got));
    CHECK_EQUAL(library.writable->give(), 1 + REPLACED);
    CHECK(got_undo(&ours_got));
    CHECK_EQUAL(library.writable->give(), 1);
    CHECK(got_put(&ours_got));
    check_all(&library, REPLACED);
    CHECK(got_undo(&ours_got));
    dlclose(library.handle);
}

static void test_other_functions_of_that_name_stay(void) {
    struct library own = load("own", open_plainly), apart = load("lazy", open_apart);
    struct library defines = load("defines", open_plainly); /* but is not asked first */

    CHECK_EQUAL(own.give(), 7);
    CHECK(got_put(&ours_got));
    CHECK_EQUAL(own.give(), 7);
    CHECK_EQUAL(own.take(), 2 + REPLACED);
    check_all(&apart, 0);
    check_all(&defines, REPLACED);
    CHECK(got_undo(&ours_got));
    check_all(&defines, 0);
    CHECK_EQUAL(own.take(), 2);
    dlclose(own.handle);
    dlclose(apart.handle);
    dlclose(defines.handle);
}

/* It finds functions in a scope of its own. One of them is not looked up yet. */
static void test_a_library_bound_deeply(void) {
    struct library deep;

    if (SANITIZED)
        return; /* sanitizers refuse to load it */
    deep = load("deep", open_deeply);
    CHECK_EQUAL(deep.give(), 100);
    CHECK(got_put(&ours_got));
    CHECK_EQUAL(deep.give(), 100);
    CHECK_EQUAL(deep.take(), 200);
    CHECK(got_undo(&ours_got));
    CHECK_EQUAL(deep.take(), 200);
    dlclose(deep.handle);
}

static void test_one_library_can_be_left_alone(void) {
    struct library left = load("lazy", open_plainly), other = load("now", open_plainly);

    ours_got.avoided = left.writable;
    CHECK(got_put(&ours_got));
    check_all(&left, 0);
    check_all(&other, REPLACED);
    ours_got.avoided = NULL;
    CHECK(got_undo(&ours_got));
    dlclose(left.handle);
    dlclose(other.handle);
}

static void *load_slowly(void *library) {
    *(struct library *)library = load("slow", open_plainly);
    return NULL;
}

static atomic_bool s_put_is_done;

static void *put(void *unused) {
    CHECK(got_put(&ours_got));
    atomic_store(&s_put_is_done, true);
    return unused;
}

/* It is in the list, but perhaps not complete: its load is waited for. */
static void test_a_library_that_is_being_loaded(void) {
    struct library slow;
    pthread_t loads, puts;

    pthread_create(&loads, NULL, load_slowly, &slow);
    CHECK(sem_wait(&slow_has_begun) == 0);
    pthread_create(&puts, NULL, put, NULL);
    usleep(20000); /* too short only makes the test weaker */
    CHECK(!atomic_load(&s_put_is_done));
    sem_post(&slow_may_end);
    pthread_join(loads, NULL);
    pthread_join(puts, NULL);
    check_all(&slow, REPLACED);
    CHECK(got_undo(&ours_got));
    check_all(&slow, 0);
    dlclose(slow.handle);
}

static atomic_bool s_stop;

static void *load_and_call(void *name) {
    while (!atomic_load(&s_stop)) {
        struct library library = load(name, open_plainly);
        int given = library.give(), taken = library.take();

        CHECK(given == 1 || given == 1 + REPLACED);
        CHECK(taken == 2 || taken == 2 + REPLACED);
        dlclose(library.handle);
    }
    return NULL;
}

static void test_libraries_come_and_go_meanwhile(void) {
    const char *names[] = {"lazy", "now", "without_plt", "more"};
    struct library stays = load("stays", open_plainly);
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, load_and_call, (void *)names[i]);
    for (unsigned i = 0; i < turns(300); i++) {
        if (got_put(&ours_got) && got_add(&ours_got))
            check_all(&stays, REPLACED);
        if (i % 3 == 0 && got_undo(&ours_got))
            check_all(&stays, 0);
    }
    atomic_store(&s_stop, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK(got_undo(&ours_got));
    check_all(&stays, 0);
    dlclose(stays.handle);
}

static void test_fork(void) {
    struct library library = load("lazy", open_plainly);
    int status;
    pid_t child;

    CHECK(got_put(&ours_got));
    got_prefork();
    child = fork();
    if (child == 0) {
        got_postfork_child();
        CHECK(got_undo(&ours_got));
        check_all(&library, 0);
        _exit(0);
    }
    got_postfork_parent();
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQUAL(status, 0);
    check_all(&library, REPLACED);
    CHECK(got_undo(&ours_got));
    dlclose(library.handle);
}

/* ---- Damaged images ---- */

static void look_at_slot(void *arg, const struct image_slot *slot) {
    const struct image *image = arg;

    CHECK(image_holds(image, slot->address));
    CHECK(strlen(slot->symbol) < 100000);
}

static int copy_lazy(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size;
    if (!strstr(info->dlpi_name, "liblazy.so"))
        return 0;
    *(struct dl_phdr_info *)arg = *info;
    return 1;
}

/* A copy of all segments; readable and writable, whatever they were. */
static char *copy_image(const struct dl_phdr_info *info, size_t *size) {
    char *copy;

    *size = 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            *size = info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    copy = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(copy != MAP_FAILED);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        if (segment->p_type == PT_LOAD)
            memcpy(copy + segment->p_vaddr, (char *)info->dlpi_addr + segment->p_vaddr,
                   segment->p_memsz);
    }
    return copy;
}

static void damage(char *copy, size_t size, const ElfW(Phdr) * segments, int n, uint64_t *random) {
    static const uint64_t values[] = {0, 1, 8, UINT64_MAX, INT64_MAX, 1u << 31, 4096, 24};
    uint64_t value = values[next_random(random) % 8], at = next_random(random) % (size - 8);

    for (int i = 0; i < n; i++)
        if (segments[i].p_type == PT_DYNAMIC && next_random(random) % 2)
            at = segments[i].p_vaddr + next_random(random) % (segments[i].p_memsz - 8) / 8 * 8;
    memcpy(copy + at, &value, 1u << next_random(random) % 4);
}

static void test_damaged_images(void) {
    struct library library = load("lazy", open_plainly);
    struct dl_phdr_info info;
    ElfW(Phdr) segments[64];
    struct maps maps;
    uint64_t random = 88172645463325252u;

    CHECK(dl_iterate_phdr(copy_lazy, &info));
    CHECK(info.dlpi_phnum <= 64);
    for (unsigned turn = 0; turn < turns(3000); turn++) {
        size_t size;
        char *copy = copy_image(&info, &size);
        struct dl_phdr_info damaged = info;
        struct image image;

        memcpy(segments, info.dlpi_phdr, info.dlpi_phnum * sizeof *segments);
        for (unsigned n = next_random(&random) % 8; n > 0; n--)
            damage(copy, size, segments, info.dlpi_phnum, &random);
        if (turn % 4 == 0)
            damage((char *)segments, info.dlpi_phnum * sizeof *segments, NULL, 0, &random);
        damaged.dlpi_addr = (ElfW(Addr))(uintptr_t)copy;
        damaged.dlpi_phdr = segments;
        CHECK(maps_read(&maps) == 0);
        if (image_open(&image, &damaged, &maps))
            image_visit(&image, look_at_slot, &image);
        maps_free(&maps);
        munmap(copy, size);
    }
    dlclose(library.handle);
}

static void test_maps(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 4 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct maps maps;

    mprotect(pages + page, page, PROT_READ | PROT_WRITE);
    munmap(pages + 3 * page, page);
    CHECK(maps_read(&maps) == 0);
    CHECK_EQUAL(maps_protection(&maps, (uintptr_t)pages, page), PROT_READ);
    CHECK_EQUAL(maps_protection(&maps, (uintptr_t)pages, page + 1), -1);
    CHECK_EQUAL(maps_protection(&maps, (uintptr_t)pages + page, page), PROT_READ | PROT_WRITE);
    CHECK_EQUAL(maps_protection(&maps, (uintptr_t)pages + 2 * page, page), PROT_READ);
    CHECK_EQUAL(maps_protection(&maps, (uintptr_t)pages + 3 * page, 1), -1);
    CHECK_EQUAL(maps_protection(&maps, 0, 1), -1);
    CHECK_EQUAL(maps_protection(&maps, UINTPTR_MAX, 1), -1);
    CHECK_EQUAL(maps_protection(&maps, (uintptr_t)pages, SIZE_MAX), -1);
    maps_free(&maps);
    munmap(pages, 3 * page);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(test_maps),
        TEST(test_libraries_that_are_there),
        TEST(test_pages_are_as_they_were),
        TEST(test_pages_that_cannot_be_written_stay),
        TEST(test_libraries_that_come_later),
        TEST(test_libraries_that_go),
        TEST(test_what_others_have_put_stays),
        TEST(test_another_tool_that_comes_and_goes),
        TEST(test_other_functions_of_that_name_stay),
        TEST(test_a_library_bound_deeply),
        TEST(test_one_library_can_be_left_alone),
        TEST(test_a_library_that_is_being_loaded),
        TEST(test_fork),
        TEST(test_damaged_images),
        TEST(test_libraries_come_and_go_meanwhile),
    };

    CHECK_EQUAL(argc, 2);
    s_directory = argv[1];
    sem_init(&slow_has_begun, 0, 0);
    sem_init(&slow_may_end, 0, 0);
    CHECK(got_init(&ours_got));
    CHECK(ours_got.hooks[0].original && ours_got.hooks[1].original);
    CHECK(!ours_got.hooks[2].original);
    return run_tests(tests, sizeof tests / sizeof *tests);
}
