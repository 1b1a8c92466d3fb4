/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tracking.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "calltree/calltree.h"
#include "capture/code.h"
#include "capture/greenlets.h"
#include "capture/stack.h"
#include "capture/suspended.h"
#include "capture/thread_name.h"
#include "probe/demand.h"
#include "pyusdt_control.h"

#define SUSPENDS (TRACKING_LATENCY | DEMAND_TIMES)
#define TIMED (TRACKING_TIMED | SUSPENDS)

/* An import that fails is not waited for without end. */
enum { AWAITED_MAX = 10000 };

#define FOLLOWERS (TRACKING_PROBES | SUSPENDS | DEMAND_RECORDER)

/* Written under the GIL. */
bool tracking_on;
void (*tracking_adopted)(struct thread *thread);
bool tracking_c_calls;
bool tracking_lines;
uint32_t tracking_epoch;
bool tracking_timed;
bool tracking_exact;
uint64_t tracking_slow_ticks;
static uint64_t s_slow_usec = PYUSDT_SLOW_OFF;
static bool s_recorded;  /* for the recorder */
static bool s_suspends;  /* some reader wants latencies */
static bool s_alone;     /* nobody else has the same events */
static bool s_greenlets; /* the program has imported greenlet */
static int s_awaited;    /* for so many events it is looked for, as it is being imported */

static inline uint64_t now_if_timed(void) {
    return tracking_timed ? clock_ticks() : 0;
}

/* The recorder's options for a thread. */
static void keep(struct thread *thread, void *unused) {
    bool wanted = s_recorded && !thread->ended && thread->epoch == tracking_epoch;

    (void)unused;
    thread->kept = wanted ? tracking_epoch : 0;
    atomic_store_explicit(&thread->tree->record, tracking_exact, memory_order_relaxed);
}

/* Take the stack over as it is. `frame` is the newest, NULL: none. */
static void take_over(struct thread *thread, PyObject *frame) {
    struct code_record **codes = malloc(STACK_MAX * sizeof *codes);
    uint32_t n = codes ? stack_collect(frame, codes) : 0;

    if (codes)
        calltree_take_over(thread->tree, codes, n, now_if_timed());
    free(codes);
}

/* The same for a tree that was not kept until now. */
static void adopt(struct thread *thread, PyObject *frame) {
    if (!thread->kept || thread->kept != tracking_epoch)
        calltree_reset(thread->tree);
    thread->epoch = tracking_epoch;
    keep(thread, NULL);
    take_over(thread, frame);
    thread->began = clock_ticks();
    if (tracking_adopted)
        tracking_adopted(thread);
}

static void fire_state(struct thread *thread) {
    thread->shown = true;
    probe_thread__state(thread->tree->tid, &thread->tree->current, thread->tree->name);
}

/* While greenlet is being imported, the thread stays unready: so it is hooked at the first event
 * after that. */
static void make_ready(struct thread *thread) {
    if (s_awaited > 0) {
        s_greenlets = s_greenlets || greenlets_imported();
        s_awaited = s_greenlets ? 0 : s_awaited - 1;
    }
    if (s_greenlets)
        greenlets_hook();
    thread->ready = s_awaited > 0 ? 0 : tracking_epoch;
}

/* For a thread that may be over before the watcher's next tick, thread__state fires here. It still
 * counts as not fired: at its first event it has no name yet, and the watcher will know it. The
 * frame of an event of entry is about to be entered, and so left out. */
static void adopt_self(struct thread *thread, bool entering) {
    PyObject *frame = (PyObject *)PyEval_GetFrame();

    frame = entering && frame ? stack_back(frame) : Py_XNewRef(frame);
    if (thread->epoch != tracking_epoch)
        adopt(thread, frame);
    Py_XDECREF(frame);
    make_ready(thread);
    if (!thread->state_fired && probe_on(PROBE_thread__state))
        fire_state(thread);
}

/* The running thread with its tree up to date, inside of a function; NULL: out of memory, or
 * hidden: the event is lost. */
static inline struct thread *current(void) {
    struct thread *thread = thread_self();

    if (thread && UNLIKELY(thread->ready != tracking_epoch))
        adopt_self(thread, false);
    return thread;
}

static bool is_bootstrap(const struct code_record *code) {
    return !strcmp(code->qualname, "Thread._bootstrap") && !strcmp(code->module, "threading");
}

/* What goes on is the line at which it was suspended. */
static void resume_line(const struct code_record *code) {
    PyFrameObject *frame = PyEval_GetFrame(); /* borrowed */
    PyObject *running = frame ? (PyObject *)PyFrame_GetCode(frame) : NULL;

    if (running)
        calltree_line(t_thread->tree, code, running, PyFrame_GetLineNumber(frame), now_if_timed(),
                      true);
    Py_XDECREF(running);
}

NOINLINE void tracking_resumed(const struct code_record *code) {
    if (s_suspends)
        calltree_resumed(t_thread->tree, code, suspended_began(code));
    if (tracking_lines && code->lined)
        resume_line(code);
}

static void end_latency(const struct code_record *code, enum calltree_outcome outcome,
                        uint64_t now) {
    uint64_t latency;

    if (!calltree_ends(t_thread->tree, code, now, &latency))
        return;
    suspended_forget();
    if (latency && probe_on(PROBE_function__latency))
        probe_function__latency(code->qualname, code->file, code->line, code->id, clock_ns(latency),
                                outcome);
}

NOINLINE void tracking_leaving(const struct code_record *code, enum calltree_outcome outcome,
                               uint64_t now) {
    uint64_t began;

    if (!s_suspends)
        return;
    if (outcome != CALLTREE_YIELD) {
        end_latency(code, outcome, now);
        return;
    }
    began = calltree_first_entry(t_thread->tree, code);
    if (began)
        suspended_keep(code, began);
}

void tracking_enter(struct code_record *code, enum calltree_kind kind) {
    bool known = t_thread != NULL;
    struct thread *thread = thread_self();

    if (!thread)
        return;
    if (UNLIKELY(!known && s_recorded)) {
        thread->begins = is_bootstrap(code);
        thread_name_self(thread, thread->begins);
    }
    if (UNLIKELY(thread->ready != tracking_epoch))
        adopt_self(thread, true);
    calltree_enter(thread->tree, code, now_if_timed(), kind);
    if (kind != CALLTREE_START)
        tracking_resumed(code);
}

void tracking_fire_done(const struct code_record *code, const struct calltree_done *done,
                        enum calltree_outcome outcome) {
    if (probe_on(PROBE_function__done))
        probe_function__done(code->qualname, code->file, code->line, code->id, done->depth,
                             clock_ns(done->elapsed), clock_ns(done->self), outcome);
    if (done->elapsed >= tracking_slow_ticks && probe_on(PROBE_function__slow))
        probe_function__slow(code->qualname, code->file, code->line, code->id, done->depth,
                             clock_ns(done->elapsed), clock_ns(done->self), outcome);
}

void tracking_exit(struct code_record *code, enum calltree_outcome outcome) {
    uint64_t now = now_if_timed();
    struct thread *thread = current();
    struct calltree_done done;

    if (thread)
        tracking_leaving(code, outcome, now);
    /* Partial: entered before we looked, so nobody knows for how long it ran. */
    if (thread && calltree_exit(thread->tree, code, now, outcome, &done) && !done.partial)
        tracking_fire_done(code, &done, outcome);
}

/* A function in C that switched to another greenlet is not entered again with the stack. */
void tracking_exit_c(struct code_record *code, enum calltree_outcome outcome) {
    struct thread *thread = current();

    if (thread && (!thread->switches || calltree_runs(thread->tree, code)))
        tracking_exit(code, outcome);
}

void tracking_call(const struct code_record *caller, const void *by, struct code_record *code,
                   const void *key) {
    struct thread *thread = current();

    if (thread)
        calltree_call(thread->tree, caller, by, code, key, now_if_timed());
}

void tracking_line(const struct code_record *code, const void *key, int32_t line) {
    struct thread *thread = current();

    if (thread)
        calltree_line(thread->tree, code, key, line, now_if_timed(), false);
}

void tracking_error(const struct code_record *code, const void *key) {
    struct thread *thread = current();

    if (thread)
        calltree_error(thread->tree, code, key, now_if_timed());
}

void tracking_set_slow(uint64_t usec) {
    s_slow_usec = usec;
    tracking_slow_ticks = usec == PYUSDT_SLOW_OFF ? UINT64_MAX : clock_ticks_in(usec * 1000);
}

static void restart(struct thread *thread, void *timed) {
    uint64_t now = thread->ended ? thread->ended_at : clock_ticks();

    if (thread->epoch == tracking_epoch || thread->kept == tracking_epoch)
        calltree_restart(thread->tree, now, *(bool *)timed ? now : 0);
}

/* Frames that were entered without a time have none to report: when times are wanted, begin anew.
 * What is recorded goes on: each frame is as if it had been entered now. */
static void apply_timed(bool on, bool timed) {
    if (on && tracking_on && s_recorded && timed != tracking_timed)
        thread_each(false, restart, &timed);
    else if ((on && !tracking_on) || (timed && !tracking_timed))
        tracking_epoch++;
    tracking_timed = timed;
}

void tracking_apply(probe_mask wanted) {
    bool on = (wanted & FOLLOWERS) != 0, recorded = (wanted & DEMAND_RECORDER) != 0;
    bool exact = (wanted & DEMAND_TIMES) != 0, suspends = (wanted & SUSPENDS) != 0;

    apply_timed(on, (wanted & TIMED) != 0);
    if (exact != tracking_exact || suspends != s_suspends)
        suspended_clear();
    s_suspends = suspends;
    if (wanted & PROBE_BIT(PROBE_mem__large))
        thread_keep_trees();
    if (tracking_on && !on)
        thread_renew();
    tracking_on = on;
    tracking_c_calls = (wanted & DEMAND_C_CALLS) != 0;
    tracking_lines = (wanted & DEMAND_LINES) != 0;
    s_alone = recorded && !(wanted & ~DEMAND_READERS);
    greenlets_want(on);
    if (on && !s_greenlets)
        s_greenlets = greenlets_imported();
    if (recorded != s_recorded || exact != tracking_exact) {
        s_recorded = recorded;
        tracking_exact = exact;
        thread_each(false, keep, NULL);
    }
    tracking_set_slow(s_slow_usec);
}

void tracking_postfork_child(void) {
    if (s_recorded)
        tracking_epoch++;
}

/* Without what the recorder's filters drop, where no event of that arrives. */
static uint32_t without_unrecorded(struct code_record **codes, uint32_t n) {
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++)
        if (!(s_alone && codes[i]->unrecorded))
            codes[kept++] = codes[i];
    return kept;
}

/* The frames of the greenlet that has its turn now are read anew: nothing is kept of the others. */
static void switch_stack(void) {
    struct thread *thread = t_thread;
    struct code_record **codes;
    uint64_t now = now_if_timed();

    if (!thread || thread->ready != tracking_epoch)
        return;
    codes = malloc(STACK_MAX * sizeof *codes);
    if (!codes)
        return;
    thread->switches = true;
    calltree_switch(thread->tree, codes,
                    without_unrecorded(codes, stack_collect((PyObject *)PyEval_GetFrame(), codes)),
                    now);
    free(codes);
}

static void unready(struct thread *thread, void *unused) {
    (void)unused;
    thread->ready = 0;
}

/* Code of the package itself is new: it is being imported. */
static void look_for_greenlets(const struct code_record *code) {
    if (s_greenlets || !tracking_on || strcmp(code->module, "greenlet") != 0)
        return;
    s_awaited = AWAITED_MAX;
    thread_each(false, unready, NULL);
}

int tracking_init(void) {
    code_made = look_for_greenlets;
    return greenlets_init(switch_stack);
}

static void adopt_thread(struct thread *thread, PyObject *frame, void *unused) {
    (void)unused;
    if (thread->epoch != tracking_epoch)
        adopt(thread, frame);
}

void tracking_adopt_all(void) {
    if (tracking_on)
        thread_each_running(adopt_thread, NULL);
}

static void retake(struct thread *thread, PyObject *frame, void *unused) {
    (void)unused;
    if (thread->epoch == tracking_epoch)
        take_over(thread, frame);
}

void tracking_refilter(void) {
    if (tracking_on)
        thread_each_running(retake, NULL);
}

bool tracking_has_news(void) {
    return thread_has_news() && probe_on(PROBE_thread__state);
}

static void fire_fresh_state(struct thread *thread, void *unused) {
    (void)unused;
    thread->state_fired = true;
    fire_state(thread);
}

void tracking_fire_states(bool all) {
    thread_each_unreported(all, fire_fresh_state, NULL);
}
