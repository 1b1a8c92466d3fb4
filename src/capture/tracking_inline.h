/* SPDX-License-Identifier: Apache-2.0
 *
 * tracking_enter(), tracking_call() and tracking_exit(), inline, for when there is no reader but
 * the recorder (`recorded`; `counted`, where it takes no times) or tracers of TRACKING_PROBES
 * (`traced`). What is entered is known by
 * `key` as long as it runs; what is left, by the same: false where that is not on the top, and
 * tracking_exit() has to find out. GIL held.
 *
 * Private to: capture/callback_fast.c
 */
#ifndef PYUSDT_CAPTURE_TRACKING_INLINE_H
#define PYUSDT_CAPTURE_TRACKING_INLINE_H

#include "base/clock.h"
#include "base/compiler.h"
#include "calltree/tree.h"
#include "capture/thread.h"
#include "capture/tracking.h"
#include "probe/probes.h"

ALWAYS_INLINE void tracking_enter_fast(struct code_record *code, const void *key, bool timed,
                                       enum calltree_kind kind) {
    struct thread *thread = t_thread;

    if (UNLIKELY(!thread || thread->ready != tracking_epoch)) {
        tracking_enter(code, kind);
        return;
    }
    tree_enter(thread->tree, code, key, timed ? clock_ticks() : 0, kind);
    if (kind != CALLTREE_START)
        tracking_resumed(code);
}

ALWAYS_INLINE void tracking_enter_counted(struct code_record *code, const void *key,
                                          enum calltree_kind kind) {
    struct thread *thread = t_thread;

    if (UNLIKELY(!thread || thread->ready != tracking_epoch)) {
        tracking_enter(code, kind);
        return;
    }
    tree_enter_untimed(thread->tree, code, key, kind);
    if (kind != CALLTREE_START && tracking_lines)
        tracking_resumed(code);
}

/* Whether the function on the top is the one known by `by`. */
ALWAYS_INLINE bool tracking_is_top(const void *by) {
    struct thread *thread = t_thread;

    return LIKELY(thread && thread->ready == tracking_epoch) && tree_top(thread->tree)->key == by;
}

/* That one calls the function in C of `code`. */
ALWAYS_INLINE void tracking_call_top(struct code_record *code, const void *key, bool timed) {
    if (timed)
        tree_enter_c(t_thread->tree, code, key, clock_ticks());
    else
        tree_enter_c_untimed(t_thread->tree, code, key);
}

/* The function known by `key` comes to a line: true where it is on the top. */
ALWAYS_INLINE bool tracking_line_top(const void *key, int32_t line, bool timed) {
    struct thread *thread = t_thread;

    if (UNLIKELY(!thread || thread->ready != tracking_epoch))
        return false;
    if (tree_is_at_first_line(thread->tree, key)) {
        tree_first_line(thread->tree, line);
        return true;
    }
    return tree_line(thread->tree, key, line, timed ? clock_ticks() : 0);
}

ALWAYS_INLINE bool tracking_error_top(const void *key) {
    struct thread *thread = t_thread;

    return LIKELY(thread && thread->ready == tracking_epoch) && tree_error(thread->tree, key);
}

ALWAYS_INLINE bool tracking_exit_recorded(const void *key, enum calltree_outcome outcome) {
    uint64_t now = clock_ticks();
    struct thread *thread = t_thread;

    if (UNLIKELY(!thread || thread->ready != tracking_epoch))
        return false;
    if (outcome == CALLTREE_YIELD || UNLIKELY(tree_top(thread->tree)->began)) {
        if (tree_top(thread->tree)->key == key)
            tracking_leaving(tree_top(thread->tree)->code, outcome, now);
    }
    return tree_exit(thread->tree, key, now, outcome);
}

ALWAYS_INLINE bool tracking_exit_counted(const void *key, enum calltree_outcome outcome) {
    struct thread *thread = t_thread;

    if (UNLIKELY(!thread || thread->ready != tracking_epoch))
        return false;
    return tree_exit_untimed(thread->tree, key, outcome);
}

ALWAYS_INLINE bool tracking_exit_traced(const void *key, enum calltree_outcome outcome) {
    uint64_t now = tracking_timed ? clock_ticks() : 0;
    struct thread *thread = t_thread;
    const struct code_record *code = NULL;
    struct calltree_done done;

    if (LIKELY(thread && thread->ready == tracking_epoch))
        code = tree_exit_done(thread->tree, key, now, outcome, &done);
    if (UNLIKELY(!code))
        return false;
    if (UNLIKELY(done.partial))
        return true;
    if (done.elapsed >= tracking_slow_ticks || probe_on(PROBE_function__done))
        tracking_fire_done(code, &done, outcome);
    return true;
}

#endif
