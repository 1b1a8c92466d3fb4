/* SPDX-License-Identifier: Apache-2.0 */
#include "control/save_lock.h"

#include <Python.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "python/gil.h"

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;

/* The holder of the lock waits for the GIL, and does nothing else; s_blind: see end_wait(). */
static atomic_bool s_holder_waits, s_blind;

void save_lock(void) {
    pthread_mutex_lock(&s_lock);
}

void save_unlock(void) {
    pthread_mutex_unlock(&s_lock);
}

static void pause_briefly(void) {
    struct timespec time = {0, 5000000};

    nanosleep(&time, NULL);
}

/* The holder of the lock has got the GIL that it waited for. */
static void end_wait(void) {
    s_holder_waits = false;
    while (s_blind)
        pause_briefly(); /* another writes in its stead, and then the process ends */
}

bool save_take_gil(void) {
    bool taken;

    s_holder_waits = true;
    taken = gil_take();
    end_wait();
    return taken;
}

void save_restore_gil(PyThreadState *state) {
    s_holder_waits = true;
    PyEval_RestoreThread(state);
    end_wait();
}

void save_lock_with_gil(void) {
    PyThreadState *state = PyEval_SaveThread();

    save_lock();
    save_restore_gil(state);
}

bool save_lock_blind(uint64_t ns) {
    uint64_t end = clock_monotonic_ns() + ns;

    s_blind = true;
    while (!s_holder_waits && pthread_mutex_trylock(&s_lock) != 0) {
        if (clock_monotonic_ns() > end)
            return false;
        pause_briefly();
    }
    return true;
}

void save_lock_postfork_child(void) {
    pthread_mutex_init(&s_lock, NULL);
}
