/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry for each thread that has, or had, a call tree, in a list that only grows.
 *
 * Life of an entry. A thread gets one at its first event (thread_meet()), or when it is found in
 * sys._current_frames() although it is blocked and has no event (thread_each_running()). The former
 * sets a thread-specific key, whose destructor marks the entry as ended when the C library ends the
 * thread. The latter cannot: such an entry ends when the thread is no longer in
 * sys._current_frames(). The next new thread takes over an ended entry, with its tree and the slot
 * in it, because a tracer may read both at any time. While the recorder still wants the counts of
 * an ended thread (`kept`), its entry is spared. When THREAD_KEPT_MAX entries are spared, a new
 * thread is merged with the oldest of them, and the merge is counted as a loss.
 *
 * Memory. All trees share one budget, s_budget, of which each allocates.
 *
 * Threads and locks. Everything is written under the GIL, but for `ended` and `ended_at`, which a
 * thread sets in its own entry as it ends. The watcher reads losses and nodes without the GIL, so
 * s_trees is held while a tree is replaced or read. It is a leaf: nothing is waited for under it.
 * Pointers to entries stay valid for ever, so the list is walked without a lock.
 *
 * Fork. In the child all entries but the forking thread's have ended.
 */
#include "capture/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/thread_name.h"
#include "python/compat.h"

/* How much memory all call trees may take together: for so many contexts, unless thread_allow()
 * grants more; for functions, of which there is one for each code record that a thread runs; for
 * their histograms; and for their lines. running.MAX_NODES is the same number. */
#define CONTEXTS 280000
#define FUNCTIONS_BYTES ((int64_t)32 << 20)
#define HISTOGRAMS_BYTES ((int64_t)64 << 20)
#define LINES_BYTES ((int64_t)64 << 20)

/* Written under the GIL. */
static struct thread *_Atomic s_threads; /* only grows: it can be walked without the GIL */
static _Atomic bool s_news;              /* thread__state has not fired for some thread */
static struct calltree_budget s_budget = {
    .functions = FUNCTIONS_BYTES, .histograms = HISTOGRAMS_BYTES, .lines = LINES_BYTES};
static int64_t s_limit; /* of which s_budget.contexts is left */
static uint32_t s_serial;
static bool s_trees_stay;
uint64_t thread_merged;
void (*thread_leaves)(struct thread *thread);
void (*thread_tree_goes)(struct thread *thread);
static pthread_key_t s_ending;       /* its destructor: thread_ended() */
static _Atomic unsigned long s_ours; /* ident of thread_is_ours() */
static unsigned long s_main;         /* ident of the main thread; 0: not known */

/* The watcher counts losses without the GIL: a tree must not be freed while it reads it. */
static pthread_mutex_t s_trees = PTHREAD_MUTEX_INITIALIZER;

/* Of the running thread. */
THREAD_LOCAL struct thread *t_thread;
THREAD_LOCAL bool t_hidden, t_over;
static THREAD_LOCAL struct thread *t_hidden_thread;

/* The C library calls this when a thread ends, without the GIL. */
static void thread_ended(void *it) {
    struct thread *thread = it;

    if (thread_leaves)
        thread_leaves(thread);
    t_over = t_over || t_thread == thread;
    thread->ended_at = clock_ticks();
    thread->ended = true;
}

static struct thread *new_entry(void) {
    struct thread *thread = calloc(1, sizeof *thread);

    if (!thread)
        return NULL;
    thread->tree = calltree_new(&s_budget, 0);
    if (!thread->tree) {
        free(thread);
        return NULL;
    }
    thread->next = s_threads;
    s_threads = thread;
    return thread;
}

/* The entry of a living thread. NULL: it has none. */
static struct thread *find(unsigned long ident) {
    struct thread *thread = s_threads;

    while (thread && (thread->ended || thread->ident != ident))
        thread = thread->next;
    return thread;
}

/* An entry for a new thread: a free one, a new one or, beyond the bound, the oldest kept one. NULL:
 * out of memory. */
static struct thread *vacant(void) {
    struct thread *kept = NULL;
    int n_kept = 0;

    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        if (!thread->ended)
            continue;
        if (!thread->kept)
            return thread;
        kept = thread; /* the last one is the oldest */
        n_kept++;
    }
    return n_kept < THREAD_KEPT_MAX ? new_entry() : kept;
}

/* The counts of the ended thread stay; its open frames and its time end here. */
static void merge(struct thread *thread) {
    calltree_take_over(thread->tree, NULL, 0, thread->ended_at);
    if (thread->ended_at > thread->began)
        thread->spent += thread->ended_at - thread->began;
    thread->began = UINT64_MAX; /* until its new frames are taken over */
    thread_merged++;
}

/* Give a thread an entry. NULL: out of memory. */
static struct thread *add(unsigned long ident) {
    struct thread *thread = vacant();

    if (!thread)
        return NULL;
    if (thread->kept) {
        merge(thread);
    } else {
        thread->serial = ++s_serial;
        thread->spent = 0;
    }
    thread->ended = thread->state_fired = thread->seen = thread->named = thread->switches = false;
    thread->begins = false;
    thread->ident = ident;
    thread->epoch = thread->ready = 0;
    thread->batch = NULL;
    thread->tree->tid = ident == s_main ? (uint32_t)getpid() : 0;
    thread->tree->name[0] = '\0';
    s_news = true;
    return thread;
}

struct thread *thread_meet(void) {
    unsigned long ident = PyThread_get_thread_ident();
    struct thread *thread = t_hidden ? NULL : find(ident);

    if (t_hidden)
        return NULL;

    /* An entry with `seen` belongs to another thread of the same ident, which is gone. */
    if (!thread || thread->seen)
        thread = add(ident);
    if (thread) {
        thread->seen = true;
        thread->tree->tid = (uint32_t)gettid();
        t_thread = thread;
        s_news = s_news || !thread->state_fired;
        pthread_setspecific(s_ending, thread);
    }
    return thread;
}

/* End the entries of threads that were found blocked and are gone. They never had an event, so the
 * destructor of s_ending did not run for them. */
static void bury_missing(PyObject *frames) {
    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        PyObject *ident = PyLong_FromUnsignedLong(thread->ident);

        if (!thread->seen && ident && !PyDict_GetItemWithError(frames, ident))
            thread_ended(thread);
        Py_XDECREF(ident);
    }
}

void thread_each_running(void (*visit)(struct thread *, PyObject *frame, void *), void *context) {
    PyObject *current_frames = PySys_GetObject("_current_frames"); /* borrowed */
    PyObject *frames = NULL, *ident, *frame;
    Py_ssize_t at = 0;

    if (current_frames && compat_others_wait())
        frames = PyObject_CallNoArgs(current_frames);
    if (!frames || !PyDict_CheckExact(frames))
        goto out;
    bury_missing(frames);
    while (PyDict_Next(frames, &at, &ident, &frame)) {
        unsigned long n = PyLong_AsUnsignedLong(ident);
        struct thread *thread = find(n);

        if (!thread && n != s_ours)
            thread = add(n);
        if (thread)
            visit(thread, frame, context);
    }
out:
    Py_XDECREF(frames);
    PyErr_Clear();
}

void thread_each_unreported(bool all, void (*visit)(struct thread *, void *), void *context) {
    PyObject *active = thread_name_active();

    s_news = false;
    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        if (thread->ended || (thread->state_fired && !all))
            continue;
        thread_name(thread, active);
        /* Without its native id it is of no use to a tracer. Its first event finds that out. */
        if (thread->tree->tid)
            visit(thread, context);
    }
    Py_XDECREF(active);
}

void thread_each(bool named, void (*visit)(struct thread *, void *), void *context) {
    PyObject *active = named ? thread_name_active() : NULL;

    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        if (named && !thread->ended)
            thread_name(thread, active);
        visit(thread, context);
    }
    Py_XDECREF(active);
}

void thread_hide(bool hidden) {
    if (hidden == t_hidden)
        return;
    t_hidden = hidden;
    if (hidden) {
        t_hidden_thread = t_thread;
        t_thread = NULL;
    } else {
        t_thread = t_hidden_thread;
    }
}

void thread_is_ours(void) {
    s_ours = PyThread_get_thread_ident();
    t_hidden = true;
}

void thread_lock_trees(void) {
    pthread_mutex_lock(&s_trees);
}

void thread_unlock_trees(void) {
    pthread_mutex_unlock(&s_trees);
}

void thread_keep_trees(void) {
    s_trees_stay = true;
}

void thread_renew(void) {
    if (s_trees_stay)
        return;
    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        struct calltree *tree = thread->shown ? NULL : calltree_new(&s_budget, 0);

        if (!tree)
            continue;
        if (thread_tree_goes)
            thread_tree_goes(thread);
        tree->tid = thread->tree->tid;
        memcpy(tree->name, thread->tree->name, sizeof tree->name);
        pthread_mutex_lock(&s_trees);
        calltree_free(thread->tree);
        thread->tree = tree;
        pthread_mutex_unlock(&s_trees);
    }
}

/* Trees that must not be freed, because somebody may look at them, use up some of the limit.
 * Their part is granted again, up to the default in all. */
void thread_allow(int64_t nodes) {
    int64_t most = calltree_bytes(CONTEXTS), bytes = nodes ? calltree_bytes((uint64_t)nodes) : most;
    int64_t limit = bytes + (s_limit - s_budget.contexts);

    if (limit > most)
        limit = bytes > most ? bytes : most;
    if (!nodes)
        limit = most;
    s_budget.contexts += limit - s_limit;
    s_budget.scarce = s_budget.contexts / 2;
    s_limit = limit;
}

bool thread_has_news(void) {
    return s_news;
}

/* threading knows the main thread, but a program need not have imported it. */
static void learn_main(void) {
    if (gettid() == getpid())
        s_main = PyThread_get_thread_ident();
}

uint64_t thread_losses(void) {
    uint64_t sum = 0;

    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        struct calltree_losses losses;

        pthread_mutex_lock(&s_trees);
        calltree_losses(thread->tree, &losses);
        pthread_mutex_unlock(&s_trees);
        sum += losses.lost + losses.too_deep;
    }
    return sum;
}

void thread_postfork_child(void) {
    struct thread *self = t_hidden ? t_hidden_thread : t_thread;

    learn_main();
    pthread_mutex_init(&s_trees, NULL);
    for (struct thread *thread = s_threads; thread; thread = thread->next) {
        thread->ended = thread != self;
        thread->kept = 0;
        thread->state_fired = false;
    }
    if (self)
        self->tree->tid = (uint32_t)gettid();
    s_news = true;
}

int thread_init(void) {
    learn_main();
    thread_allow(0);
    if (thread_name_init() < 0)
        return -1;
    if (pthread_key_create(&s_ending, thread_ended) == 0)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "pyusdt: the process has no thread-specific key left");
    return -1;
}
