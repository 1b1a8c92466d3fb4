/* SPDX-License-Identifier: Apache-2.0
 *
 * Who follows the threads' stacks: a call tree for each thread that has events, kept while some
 * reader wants it, and function__done and function__slow, which come out of it.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_TRACKING_H
#define PYUSDT_CAPTURE_TRACKING_H

#include <Python.h>
#include <stdbool.h>

#include "calltree/calltree_inline.h"
#include "base/clock.h"
#include "probe/probes.h"
#include "capture/thread.h"

/* What comes of following, and of no event's own probe. */
#define TRACKING_TIMED (PROBE_BIT(PROBE_function__done) | PROBE_BIT(PROBE_function__slow))
#define TRACKING_PROBES (TRACKING_TIMED | PROBE_BIT(PROBE_thread__state))

/* Begin or cease to follow, as these watched probes, and the recorder, want it. What was followed
 * before is forgotten when it begins anew: nobody knows what has been entered and left since. */
void tracking_apply(probe_mask wanted);

/* The stacks of all threads are taken over as they are, those too that are blocked and have no
 * event for a long time. To be called once events are on. */
void tracking_adopt_all(void);

/* Other functions are rejected than before: the stacks are taken over as they are now. Calls that
 * were followed go on, unless there is a change beneath them: then they are not told at their end.
 */
void tracking_refilter(void);

/* The setting slow_usec, or PYUSDT_SLOW_OFF: function__slow fires from so many microseconds on. */
void tracking_set_slow(uint64_t usec);

/* True when tracking_fire_states() has something to tell. No GIL. */
bool tracking_has_news(void);

/* Fire thread__state for each thread that was not told yet, or for all of them. */
void tracking_fire_states(bool all);

/* True while call trees are kept. */
extern bool tracking_on;

/* The running thread enters or leaves `code`. To be called while tracking_on. */
void tracking_enter(struct code_record *code, enum calltree_kind kind);
void tracking_exit(struct code_record *code, enum calltree_outcome outcome);

/* True while calls of functions in C are followed too. */
extern bool tracking_c_calls;

/* The running thread, in `caller`, calls the function in C of `code` (NULL: something else), known
 * by `key` from then on. To be called while tracking_c_calls. */
void tracking_call(const struct code_record *caller, struct code_record *code, const void *key);

/* Counts the times that following began: a thread whose epoch is another has to be looked at first.
 */
extern uint32_t tracking_epoch;

/* True while somebody wants times: slots alone do without the clock. */
extern bool tracking_timed;

/* From when on function__slow is told of. */
extern uint64_t tracking_slow_ticks;

/* Fire function__done and function__slow, as they are watched and this call has it. */
void tracking_fire_done(const struct code_record *code, const struct calltree_done *done,
                        enum calltree_outcome outcome);

/* tracking_enter(), tracking_call() and tracking_exit(), inline, for when nobody listens but the
 * recorder or, `told`, tracers of TRACKING_PROBES. What is entered is known by `key` as long as it
 * runs; what is left, by the same: false where that is not on the top, and tracking_exit() has to
 * find out. */
TREE_INLINE void tracking_enter_fast(struct code_record *code, const void *key, bool timed,
                                     enum calltree_kind kind) {
    struct thread *thread = t_thread;

    if (TREE_LIKELY(thread && thread->epoch == tracking_epoch))
        tree_enter(thread->tree, code, key, timed ? clock_ticks() : 0, kind);
    else
        tracking_enter(code, kind);
}

TREE_INLINE void tracking_call_recorded(const struct code_record *caller, struct code_record *code,
                                        const void *key) {
    struct thread *thread = t_thread;

    if (TREE_LIKELY(thread && thread->epoch == tracking_epoch))
        tree_call(thread->tree, caller, code, key, clock_ticks());
    else
        tracking_call(caller, code, key);
}

TREE_INLINE bool tracking_exit_recorded(const void *key, enum calltree_outcome outcome) {
    uint64_t now = clock_ticks();
    struct thread *thread = t_thread;

    return TREE_LIKELY(thread && thread->epoch == tracking_epoch) &&
           tree_exit(thread->tree, key, now, outcome);
}

TREE_INLINE bool tracking_exit_traced(const void *key, enum calltree_outcome outcome) {
    uint64_t now = tracking_timed ? clock_ticks() : 0;
    struct thread *thread = t_thread;
    const struct code_record *code = NULL;
    struct calltree_done done;

    if (TREE_LIKELY(thread && thread->epoch == tracking_epoch))
        code = tree_exit_done(thread->tree, key, now, outcome, &done);
    if (TREE_UNLIKELY(!code))
        return false;
    if (done.elapsed >= tracking_slow_ticks || probe_on(PROBE_function__done))
        tracking_fire_done(code, &done, outcome);
    return true;
}

/* In the child of a fork: what is recorded is the child's own. */
void tracking_postfork_child(void);

#endif
