/* SPDX-License-Identifier: Apache-2.0 */
#include "base/osthread.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* osthread_await_gone(): how often it checks, and how long it pauses in between. */
enum { GONE_USEC = 100, GONE_TRIES = 10000 };

/* osthread_lock_soon() */
enum { PATIENCE_MSEC = 200 };

/* A directory /proc/PID/task has two links and one more for each thread. A main thread that has
 * ended is counted until the last thread ends. */
enum { LINKS_OF_MAIN = 2 + 1 };

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static pthread_key_t s_key; /* has a destructor, which the C library calls when a thread ends */
static bool s_has_key;      /* written once */
static atomic_bool s_main_ended;
static _Atomic unsigned s_ours;

bool osthread_is_main(void) {
    return gettid() == getpid();
}

int osthread_start(pthread_t *thread, const char *name, void *(*run)(void *)) {
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, run, NULL);
    if (!error)
        pthread_setname_np(*thread, name);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bool osthread_lock_soon(pthread_mutex_t *mutex) {
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PATIENCE_MSEC * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_mutex_timedlock(mutex, &until) == 0;
}

int osthread_init_wake(pthread_cond_t *wake) {
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error)
        return error;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    error = pthread_cond_init(wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return error;
}

void osthread_await_gone(pid_t tid) {
    const struct timespec pause = {0, GONE_USEC * 1000L};

    for (int i = 0; i < GONE_TRIES && tgkill(getpid(), tid, 0) == 0; i++)
        nanosleep(&pause, NULL);
}

static void main_ended(void *unused) {
    (void)unused;
    s_main_ended = true;
}

static void make_key(void) {
    s_has_key = pthread_key_create(&s_key, main_ended) == 0;
}

void osthread_watch_main(void) {
    pthread_once(&s_once, make_key);
    s_main_ended = false;
    if (s_has_key)
        pthread_setspecific(s_key, &s_key);
}

void osthread_ours_begins(void) {
    s_ours++;
}

void osthread_ours_ends(void) {
    s_ours--;
}

void osthread_postfork_child(void) {
    s_ours = 0;
}

bool osthread_is_last(void) {
    struct stat task;

    if (!s_main_ended)
        return false;
    return stat("/proc/self/task", &task) < 0 || task.st_nlink <= LINKS_OF_MAIN + s_ours;
}
