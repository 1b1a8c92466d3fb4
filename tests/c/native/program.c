/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that libraries take and give back, as the account has it. The argument is the directory of
 * the libraries; the allocator is the C library's, or one that is preloaded.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "memory/account.h"
#include "memory/native_hooks.h"
#include "user.h"

static const char *s_directory;
struct user user_latest;
static struct user s_user; /* of a library that was there before any hook */
static size_t s_page;

static void *load(const char *name) {
    char path[4096];
    void *library;

    snprintf(path, sizeof path, "%s/lib%s.so", s_directory, name);
    library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(library);
    return library;
}

static void begin(void) {
    CHECK(account_open(false));
    CHECK(native_hooks_want(NATIVE_COUNTED));
    native_hooks_attend();
}

static void end(void) {
    CHECK(native_hooks_want(NATIVE_UNUSED));
    native_hooks_attend();
    account_close();
    account_clear();
}

static void check_live(uint64_t bytes, uint64_t blocks) {
    struct account_totals now;

    account_totals(&now);
    CHECK_EQUAL(now.bytes, bytes);
    CHECK_EQUAL(now.blocks, blocks);
}

static void check_all_ways(const struct user *user) {
    void *blocks[9];

    blocks[0] = user->malloc(1000);
    blocks[1] = user->calloc(10, 2000);
    blocks[2] = user->realloc(NULL, 300);
    blocks[3] = user->reallocarray(NULL, 3, 70);
    blocks[4] = user->aligned_alloc(64, 640);
    blocks[5] = user->memalign(128, 5);
    blocks[6] = user->valloc(6);
    CHECK(user->posix_memalign(&blocks[7], 256, 7777) == 0);
    blocks[8] = SANITIZED ? user->malloc(10) : user->strdup("nine char");
    check_live(1000 + 20000 + 300 + 210 + 640 + 5 + 6 + 7777 + 10, 9);
    for (int i = 0; i < 9; i++)
        user->free(blocks[i]);
    check_live(0, 0);
}

static void test_all_ways(void) {
    begin();
    check_all_ways(&s_user);
    end();
}

static void test_moved_blocks(void) {
    char *block;

    begin();
    block = s_user.malloc(100);
    block = s_user.realloc(block, 100000);
    check_live(100000, 1);
    block = s_user.reallocarray(block, 2, 50);
    check_live(100, 1);
    errno = 0;
    CHECK(!s_user.realloc(block, SIZE_MAX / 4));
    CHECK_EQUAL(errno, ENOMEM);
    check_live(100, 1);
    errno = 0;
    CHECK(!s_user.reallocarray(block, SIZE_MAX / 2, 4));
    CHECK_EQUAL(errno, ENOMEM);
    check_live(100, 1);
    s_user.free(block);
    check_live(0, 0);
    end();
}

static void test_failures(void) {
    void *unset = &unset, *block = unset;

    begin();
    errno = 0;
    CHECK(!s_user.malloc(SIZE_MAX / 4));
    CHECK_EQUAL(errno, ENOMEM);
    CHECK(!s_user.calloc(SIZE_MAX / 4, 8));
    CHECK_EQUAL(s_user.posix_memalign(&block, 16, SIZE_MAX / 4), ENOMEM);
    CHECK(block == unset);
    CHECK(s_user.mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK_EQUAL(s_user.munmap((void *)1, s_page), -1);
    CHECK_EQUAL(errno, EINVAL);
    s_user.free(NULL);
    check_live(0, 0);
    end();
}

/* Blocks that were there before are not ours, and what is freed later was. */
static void test_blocks_of_before_and_after(void) {
    void *before = s_user.malloc(10), *grows = s_user.malloc(10), *within;

    begin();
    s_user.free(before);
    check_live(0, 0);
    grows = s_user.realloc(grows, 5000);
    check_live(5000, 1);
    within = s_user.malloc(20);
    end();
    s_user.free(within);
    s_user.free(grows);
    begin();
    check_live(0, 0);
    end();
}

static void test_errno_stays(void) {
    void *block;

    begin();
    errno = EPIPE;
    block = s_user.malloc(10);
    block = s_user.realloc(block, 1000);
    s_user.free(block);
    block = s_user.mmap(NULL, 10, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    s_user.munmap(block, 10);
    s_user.next("malloc");
    CHECK_EQUAL(errno, EPIPE);
    end();
}

/* ---- Mappings ---- */

static char *map(size_t pages) {
    char *at = s_user.mmap(NULL, pages * s_page, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED);
    return at;
}

static void test_mappings(void) {
    char *at, *other;

    begin();
    at = map(10);
    check_live(10 * s_page, 1);
    CHECK(s_user.munmap(at + 4 * s_page, 2 * s_page - 1) == 0); /* whole pages */
    check_live(8 * s_page, 1);
    other = s_user.mmap(at, s_page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(other == at);
    check_live(8 * s_page, 2);
    other = s_user.mmap(at, 2 * s_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(other == at);
    check_live(6 * s_page, 1);
    CHECK(s_user.munmap(at, 10 * s_page) == 0);
    check_live(0, 0);
    end();
}

static void test_mappings_that_move(void) {
    char *at, *wall, *to;

    begin();
    at = map(3);
    wall =
        s_user.mmap(at + s_page, s_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(s_user.mremap(at, s_page, 2 * s_page, 0, NULL) == MAP_FAILED);
    check_live(2 * s_page, 1);
    at = s_user.mremap(at, s_page, 8 * s_page, MREMAP_MAYMOVE, NULL);
    CHECK(at != MAP_FAILED);
    check_live(9 * s_page, 1);
    CHECK(s_user.mremap(at, 8 * s_page, 5 * s_page, 0, NULL) == at);
    check_live(6 * s_page, 1);
    CHECK(s_user.mremap(at, 5 * s_page, 6 * s_page, 0, NULL) == at);
    check_live(7 * s_page, 1);
    to = map(6);
    CHECK(s_user.mremap(at, 6 * s_page, 6 * s_page, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    check_live(7 * s_page, 1);
    s_user.munmap(to, 6 * s_page);
    s_user.munmap(wall - s_page, 3 * s_page);
    check_live(0, 0);
    end();
}

static void check_file(int file, uint64_t bytes) {
    char *at;

    CHECK(file >= 0);
    CHECK(ftruncate(file, (off_t)s_page) == 0);
    at = s_user.mmap(NULL, s_page, PROT_READ, MAP_SHARED, file, 0);
    CHECK(at != MAP_FAILED);
    check_live(bytes, bytes > 0);
    s_user.munmap(at, s_page);
    check_live(0, 0);
    close(file);
}

static void test_mappings_that_are_memory(void) {
    char path[] = "/var/tmp/mapped-XXXXXX", *at;
    int file = mkstemp(path);

    unlink(path);
    begin();
    at = s_user.mmap(NULL, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check_live(0, 0);
    s_user.munmap(at, 1 << 30);
    check_file(file, 0);
    check_file(memfd_create("mapped", MFD_CLOEXEC), s_page);
    end();
}

/* ---- Libraries ---- */

static void test_a_library_that_comes_later(void) {
    void *library;

    begin();
    library = load("later");
    CHECK(s_user.find(library, "user_is_here"));
    check_all_ways(&user_latest);
    dlclose(library);
    library = load("later"); /* perhaps to the same place */
    CHECK(s_user.find(library, "user_is_here"));
    check_all_ways(&user_latest);
    end();
    dlclose(library);
}

static void test_a_library_that_nobody_looks_into(void) {
    void *library;

    begin();
    library = load("later");
    native_hooks_attend();
    check_all_ways(&user_latest);
    end();
    dlclose(library);
}

/* dlsym() finds what comes after the library that calls it. */
static void test_the_next_of_a_name(void) {
    void *before = s_user.next("later_and_last"), *with;

    CHECK(before);
    begin();
    with = s_user.next("later_and_last");
    end();
    CHECK(with == before);
}

static void test_cpp(void) {
    void *library = load("cpp"), *array;
    void *(*new)(size_t) = (void *(*)(size_t))(uintptr_t)dlsym(library, "cpp_new");
    void (*delete)(void *) = (void (*)(void *))(uintptr_t)dlsym(library, "cpp_delete");

    if (SANITIZED)
        return; /* sanitizers have a new and a delete of their own */
    begin();
    array = new (1234);
    check_live(1234, 1);
    CHECK(!new (SIZE_MAX / 4)); /* it throws */
    check_live(1234, 1);
    delete (array);
    check_live(0, 0);
    end();
    dlclose(library);
}

/* Whoever has the address of a hook calls it later, too. */
static void test_copied_addresses(void) {
    void *library, *block;
    void *(**copy)(size_t);

    begin();
    library = load("pointers");
    ((void (*)(void))(uintptr_t)s_user.find(library, "copy"))();
    copy = (void *(**)(size_t))s_user.find(library, "copy_of_malloc");
    block = (*copy)(100);
    check_live(100, 1);
    s_user.free(block);
    end();
    CHECK(account_open(false)); /* as for Python's memory alone */
    block = (*copy)(100);
    check_live(0, 0);
    s_user.free(block);
    account_close();
    account_clear();
    dlclose(library);
}

/* ---- Threads, signals, forks ---- */

static pthread_key_t s_key;

static void *leave_block(void *unused) {
    pthread_setspecific(s_key, s_user.malloc(500));
    return unused;
}

static void test_threads_end(void) {
    pthread_t thread;

    pthread_key_create(&s_key, s_user.free);
    begin();
    pthread_create(&thread, NULL, leave_block, NULL);
    pthread_join(thread, NULL);
    check_live(0, 0);
    end();
    pthread_key_delete(s_key);
}

static _Atomic unsigned s_signals;

static void map_in_handler(int signal) {
    void *at = s_user.mmap(NULL, 100, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)signal;
    s_user.munmap(at, 100);
    s_signals++;
}

static void test_signals(void) {
    struct sigaction action = {.sa_handler = map_in_handler, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};

    sigaction(SIGALRM, &action, NULL);
    begin();
    setitimer(ITIMER_REAL, &often, NULL);
    while (s_signals < turns(500))
        s_user.free(s_user.realloc(s_user.malloc(100), 200));
    setitimer(ITIMER_REAL, &never, NULL);
    check_live(0, 0);
    end();
}

static atomic_bool s_stop;

static void *work(void *number) {
    uint64_t random = 1 + (uintptr_t)number;

    while (!s_stop) {
        size_t size = 1 + next_random(&random) % 5000;
        char *block = next_random(&random) % 2 ? s_user.malloc(size) : s_user.calloc(1, size), *at;

        memset(block, (int)size, size);
        block = s_user.realloc(block, 2 * size);
        for (size_t i = 0; i < size; i += 97)
            CHECK(block[i] == (char)size);
        s_user.free(block);
        at = map(1);
        *at = 1;
        CHECK(s_user.munmap(at, s_page) == 0);
        if (next_random(&random) % 4 == 0)
            sched_yield(); /* the test is to go on: eight of these would have the CPUs */
    }
    return NULL;
}

enum { WORKERS = 8 };
static pthread_t s_workers[WORKERS];

static void start_workers(void) {
    s_stop = false;
    for (uintptr_t i = 0; i < WORKERS; i++)
        pthread_create(&s_workers[i], NULL, work, (void *)i);
}

static void join_workers(void) {
    s_stop = true;
    for (int i = 0; i < WORKERS; i++)
        pthread_join(s_workers[i], NULL);
}

static void test_on_and_off_under_load(void) {
    struct account_totals now;

    start_workers();
    for (unsigned i = 0; i < turns(1000); i++) {
        begin();
        if (i % 10 == 0)
            dlclose(load("later"));
        end();
    }
    begin();
    join_workers();
    account_totals(&now);
    /* Those that were there at begin() may be gone unseen; none of those seen is there now. */
    CHECK_EQUAL(now.bytes, 0);
    CHECK_EQUAL(now.lost, 0);
    end();
}

/* By C code: nothing of Python's runs before or after it. */
static void test_forks_under_load(void) {
    begin();
    start_workers();
    for (unsigned i = 0; i < turns(100); i++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            struct user later;

            alarm(30);
            check_live(0, 0);
            load("later");
            native_hooks_attend();
            later = user_latest;
            check_all_ways(&later);
            end();
            _exit(0);
        }
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK_EQUAL(status, 0);
    }
    join_workers();
    end();
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(test_all_ways),
        TEST(test_moved_blocks),
        TEST(test_failures),
        TEST(test_blocks_of_before_and_after),
        TEST(test_errno_stays),
        TEST(test_mappings),
        TEST(test_mappings_that_move),
        TEST(test_mappings_that_are_memory),
        TEST(test_a_library_that_comes_later),
        TEST(test_a_library_that_nobody_looks_into),
        TEST(test_the_next_of_a_name),
        TEST(test_cpp),
        TEST(test_copied_addresses),
        TEST(test_threads_end),
        TEST(test_signals),
        TEST(test_on_and_off_under_load),
        TEST(test_forks_under_load),
    };

    CHECK_EQUAL(argc, 2);
    s_directory = argv[1];
    s_page = (size_t)sysconf(_SC_PAGESIZE);
    load("user");
    s_user = user_latest;
    return run_tests(tests, sizeof tests / sizeof *tests);
}
