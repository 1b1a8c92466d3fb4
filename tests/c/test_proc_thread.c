/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"

#include "../../src/base/proc_thread.c"
#include "../../src/base/wait_class.c"

/* A thread that does one thing until it is set free. */
static _Atomic pid_t s_tid;
static _Atomic int s_free;
static int s_pipe[2], s_sockets[2];
static pthread_mutex_t s_mutex = PTHREAD_MUTEX_INITIALIZER;

static void *spins(void *unused) {
    s_tid = gettid();
    while (!s_free)
        ;
    return unused;
}

static void *sleeps(void *unused) {
    struct timespec time = {0, 50000000};

    s_tid = gettid();
    while (!s_free)
        nanosleep(&time, NULL);
    return unused;
}

static void *wants_mutex(void *unused) {
    s_tid = gettid();
    pthread_mutex_lock(&s_mutex);
    pthread_mutex_unlock(&s_mutex);
    return unused;
}

static void *reads_pipe(void *unused) {
    char byte;

    s_tid = gettid();
    CHECK_EQUAL(read(s_pipe[0], &byte, 1), 1);
    return unused;
}

static void *receives(void *unused) {
    char byte;

    s_tid = gettid();
    CHECK_EQUAL(recv(s_sockets[0], &byte, 1, 0), 1);
    return unused;
}

static void *polls(void *unused) {
    struct pollfd entry = {.fd = s_pipe[0], .events = POLLIN};
    char byte;

    s_tid = gettid();
    CHECK_EQUAL(poll(&entry, 1, -1), 1);
    CHECK_EQUAL(read(s_pipe[0], &byte, 1), 1);
    return unused;
}

static pthread_t start(void *(*what)(void *)) {
    pthread_t thread;

    s_tid = s_free = 0;
    CHECK_EQUAL(pthread_create(&thread, NULL, what, NULL), 0);
    while (!s_tid)
        sched_yield();
    return thread;
}

/* Where it waits. */
static struct proc_call await_call(struct proc_files *files, struct proc_thread *thread) {
    struct proc_call call;

    do {
        sched_yield();
        proc_thread_call(files, thread, s_tid, &call);
        CHECK(call.state != PROC_UNKNOWN);
    } while (call.state != PROC_IN_CALL || wait_class(call.number) == PYUSDT_CHARGE_OTHER);
    return call;
}

static void the_cpu_clock_of_a_thread(void) {
    pthread_t thread = start(spins);
    uint64_t first, later;

    CHECK(proc_thread_cpu(s_tid, &first));
    do {
        CHECK(proc_thread_cpu(s_tid, &later));
    } while (later == first);
    CHECK(later > first);
    s_free = 1;
    pthread_join(thread, NULL);
    while (proc_thread_cpu(s_tid, &later))
        sched_yield();
}

static void check_waits(struct proc_files *files) {
    static const struct {
        void *(*what)(void *);
        int class;
        bool stream;
    } waits[] = {
        {sleeps, PYUSDT_CHARGE_SLEEP, false},   {wants_mutex, WAIT_BY_ADDRESS, false},
        {reads_pipe, WAIT_BY_DESCRIPTOR, true}, {receives, PYUSDT_CHARGE_NET, true},
        {polls, PYUSDT_CHARGE_POLL, false},
    };

    CHECK_EQUAL(pipe(s_pipe), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, s_sockets), 0);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        struct proc_thread kept = {0};
        struct proc_stat stat;
        uint64_t n;

        pthread_mutex_lock(&s_mutex);
        pthread_t thread = start(waits[i].what);
        struct proc_call call = await_call(files, &kept);

        CHECK_EQUAL(wait_class(call.number), waits[i].class);
        if (waits[i].class == WAIT_BY_ADDRESS)
            CHECK(call.argument == (uintptr_t)&s_mutex);
        if (waits[i].stream)
            CHECK(proc_thread_is_stream(files, s_tid, call.argument, 'S'));
        CHECK(proc_thread_stat(files, &kept, s_tid, &stat));
        CHECK(stat.letter == 'S' || stat.letter == 'R');
        CHECK(proc_thread_delay(files, &kept, s_tid, &n));
        CHECK(proc_thread_switches(files, &kept, s_tid, &n));
        CHECK(n > 0);
        s_free = 1;
        pthread_mutex_unlock(&s_mutex);
        CHECK_EQUAL(write(s_pipe[1], "x", waits[i].what == reads_pipe || waits[i].what == polls),
                    waits[i].what == reads_pipe || waits[i].what == polls);
        CHECK_EQUAL(send(s_sockets[1], "x", waits[i].what == receives, 0),
                    waits[i].what == receives);
        pthread_join(thread, NULL);
        proc_thread_close(&kept, files);
        CHECK_EQUAL(files->n_kept, 0);
    }
    for (int i = 0; i < 2; i++) {
        close(s_pipe[i]);
        close(s_sockets[i]);
    }
}

static void what_it_waits_for(void) {
    struct proc_files files = {0};

    check_waits(&files);
}

/* How many descriptors the process has. */
static int descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

/* In a thread that looks: kept open, and not in the process's table. */
static void *looks(void *unused) {
    struct proc_files files;
    struct proc_thread kept = {0};
    struct proc_call call;

    proc_files_begin(&files);
    proc_thread_call(&files, &kept, getpid(), &call);
    CHECK(call.state != PROC_UNKNOWN);
    CHECK_EQUAL(files.n_kept, files.keep);
    s_tid = gettid();
    while (!s_free)
        sched_yield();
    proc_thread_call(&files, &kept, getpid(), &call);
    CHECK(call.state != PROC_UNKNOWN);
    proc_thread_close(&kept, &files);
    proc_files_end(&files);
    return unused;
}

static void what_is_open_is_nobody_elses(void) {
    int before = descriptors();
    pthread_t thread = start(looks);

    CHECK_EQUAL(descriptors(), before);
    CHECK_EQUAL(fcntl(1, F_GETFD), 0); /* theirs stays open */
    s_free = 1;
    pthread_join(thread, NULL);
    CHECK_EQUAL(descriptors(), before);
}

static void files_are_no_streams(void) {
    struct proc_files files = {0};
    int file = open("/proc/self/exe", O_RDONLY), null = open("/dev/null", O_RDONLY);

    CHECK(!proc_thread_is_stream(&files, gettid(), (uint64_t)file, 'S'));
    CHECK(proc_thread_is_stream(&files, gettid(), (uint64_t)null, 'S'));
    CHECK(!proc_thread_is_stream(&files, gettid(), (uint64_t)null, 'D'));
    close(file);
    close(null);
}

static void nobody(void) {
    struct proc_files files = {0};
    struct proc_thread kept = {0};
    struct proc_call call;
    struct proc_stat stat;
    uint64_t n;

    proc_thread_call(&files, &kept, 0, &call);
    CHECK_EQUAL(call.state, PROC_UNKNOWN);
    CHECK(!proc_thread_stat(&files, &kept, 0, &stat));
    CHECK(!proc_thread_delay(&files, &kept, 0, &n));
    CHECK_EQUAL(wait_class(-1), PYUSDT_CHARGE_OTHER);
    CHECK_EQUAL(wait_class(INT64_MAX), PYUSDT_CHARGE_OTHER);
}

int main(void) {
    static const struct test tests[] = {
        TEST(the_cpu_clock_of_a_thread),
        TEST(what_it_waits_for),
        TEST(what_is_open_is_nobody_elses),
        TEST(files_are_no_streams),
        TEST(nobody),
    };

    return run_tests(tests, sizeof tests / sizeof *tests);
}
