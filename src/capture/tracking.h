/* SPDX-License-Identifier: Apache-2.0
 *
 * Tracking: a call tree for each thread that has events, kept while some reader wants it, and
 * function__done, function__slow and function__latency, which come out of it.
 *
 * GIL held for everything here, unless it says otherwise. Nothing leaves an exception set.
 */
#ifndef PYUSDT_CAPTURE_TRACKING_H
#define PYUSDT_CAPTURE_TRACKING_H

#include <Python.h>
#include <stdbool.h>

#include "base/clock.h"
#include "calltree/calltree_types.h"
#include "capture/thread.h"
#include "probe/probes.h"

/* What comes of tracking, and of no event's own probe. */
#define TRACKING_TIMED (PROBE_BIT(PROBE_function__done) | PROBE_BIT(PROBE_function__slow))
#define TRACKING_PROBES                                                                            \
    (TRACKING_TIMED | PROBE_BIT(PROBE_thread__state) | PROBE_BIT(PROBE_mem__large))

/* The same, but it needs to know what is suspended, as the recorder does. */
#define TRACKING_LATENCY PROBE_BIT(PROBE_function__latency)

/* 0, or -1 with an exception set. */
int tracking_init(void);

/* Begin or cease to track, as these watched probes, and the recorder, want it. What was tracked
 * before is forgotten when it begins anew: what has been entered and left since is not known. */
void tracking_apply(probe_mask wanted);

/* Called with each thread whose tree is kept from now on. NULL: nobody. Written once. */
extern void (*tracking_adopted)(struct thread *thread);

/* The stacks of all threads are taken over as they are, those too that are blocked and have no
 * event for a long time. To be called once events are on. */
void tracking_adopt_all(void);

/* Other functions are rejected than before: the stacks are taken over as they are now. Calls that
 * were tracked go on, unless there is a change beneath them: then their end is not reported. */
void tracking_refilter(void);

/* The setting slow_usec, or PYUSDT_SLOW_OFF: function__slow fires from so many microseconds on. */
void tracking_set_slow(uint64_t usec);

/* True when tracking_fire_states() has something to fire. No GIL. */
bool tracking_has_news(void);

/* Fire thread__state for each thread for which it has not fired yet, or for all of them. */
void tracking_fire_states(bool all);

/* True while call trees are kept. */
extern bool tracking_on;

/* The running thread enters or leaves `code`. To be called while tracking_on. */
void tracking_enter(struct code_record *code, enum calltree_kind kind);
void tracking_exit(struct code_record *code, enum calltree_outcome outcome);

/* For the latency of what is suspended, where the running thread has a tree: `code` has just been
 * resumed; it is about to be left. */
void tracking_resumed(const struct code_record *code);
void tracking_leaving(const struct code_record *code, enum calltree_outcome outcome, uint64_t now);

/* True while lines are recorded, and errors at them: of code whose record is lined. */
extern bool tracking_lines;

/* The running thread, in `code`, which is lined, known by `key` from then on, comes to `line`, or
 * raises an exception, or gets one from what it called. To be called while tracking_lines. */
void tracking_line(const struct code_record *code, const void *key, int32_t line);
void tracking_error(const struct code_record *code, const void *key);

/* True while calls of functions in C are tracked too. */
extern bool tracking_c_calls;

/* The running thread, in `caller`, known by `by`, calls the function in C of `code` (NULL:
 * something else), known by `key` from then on. To be called while tracking_c_calls. */
void tracking_call(const struct code_record *caller, const void *by, struct code_record *code,
                   const void *key);

/* The running thread leaves the function in C of `code`. */
void tracking_exit_c(struct code_record *code, enum calltree_outcome outcome);

/* Counts the times that tracking began: a thread that is ready for another has to be adopted first,
 * and hooked into its greenlets. */
extern uint32_t tracking_epoch;

/* True while some reader wants times: slots alone do without the clock, and so does a recorder
 * whose times are the sampler's. */
extern bool tracking_timed;

/* True while the recorder does: then functions get histograms. */
extern bool tracking_exact;

/* From so many on function__slow fires. */
extern uint64_t tracking_slow_ticks;

/* Fire function__done and function__slow, as they are watched and this call has it. */
void tracking_fire_done(const struct code_record *code, const struct calltree_done *done,
                        enum calltree_outcome outcome);

/* Whether it is an exception by which iterators and coroutines say that they end: CPython 3.12
 * to 3.14 report one at every `await` of what is written in C. */
static inline bool tracking_is_no_error(PyObject *exception) {
    PyObject *type = (PyObject *)Py_TYPE(exception);

    return type == PyExc_StopIteration || type == PyExc_StopAsyncIteration ||
           type == PyExc_GeneratorExit;
}

/* How a function is entered, and left, by an event of this kind. */
static inline enum calltree_kind tracking_kind(enum event_frame frame) {
    if (frame == FRAME_START)
        return CALLTREE_START;
    return frame == FRAME_RESUME ? CALLTREE_RESUME : CALLTREE_THROW;
}

static inline enum calltree_outcome tracking_outcome(enum event_frame frame) {
    if (frame == FRAME_UNWIND || frame == FRAME_C_RAISE)
        return CALLTREE_UNWIND;
    return frame == FRAME_YIELD ? CALLTREE_YIELD : CALLTREE_RETURN;
}

/* In the child of a fork: what is recorded is the child's own. */
void tracking_postfork_child(void);

#endif
