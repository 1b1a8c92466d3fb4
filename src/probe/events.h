/* SPDX-License-Identifier: Apache-2.0
 *
 * The event table: every event that we enable, and every probe that we fire. All else that concerns
 * an event or a probe (enums, masks, callbacks, semaphores, probe functions, the list that `pyusdt
 * probes` prints) is expanded from it; nothing is written a second time.
 *
 *   EVENT(name, shape, scope, frame, argc, needs, summary, arguments...)
 *       an event of sys.monitoring, and the probe of the same name.
 *       shape    what the probe's arguments are made of; callback_full.c has one function a shape
 *       scope    LOCAL: a callback may return DISABLE. GLOBAL: it must not (ValueError, and CPython
 *                silently drops the callback). CALLED: CALL brings it along; it cannot be enabled
 *                by itself, and a callback must not return DISABLE
 *       frame    what happens on the stack: a function is entered (START, RESUME, THROW), left
 *                (RETURN, YIELD, UNWIND), runs on (LINE) or has an exception (RAISE); a C function
 *                is entered (CALL) or left (C_RETURN, C_RAISE); NONE: nothing that the call tree
 * needs argc     how many arguments CPython passes to the callback needs    the events that must be
 * enabled for it
 *
 *   DERIVED(name, needs, summary, arguments...)
 *       a probe that pyusdt derives from events, or fires on its own.
 *
 *   COMPAT(name, needs, summary, arguments...)
 *       a probe that CPython itself once had. Its provider is python, and it lies in a library of
 *       its own (compat/compat_probes.h). The provider of all others is pyusdt.
 *
 * Arguments are (type, name) pairs in the order of the probe's argN, at most ten. Types are those
 * of ARG_C below. Users' scripts read arguments by number, so new ones are only appended.
 */
#ifndef PYUSDT_PROBE_EVENTS_H
#define PYUSDT_PROBE_EVENTS_H

#include <stdint.h>

#include "probe/each.h"

#define ARGS_ENTRY                                                                                 \
    (str, function), (str, file), (i32, line), (i32, offset), (str, qualname), (u32, id)
#define ARGS_VALUE                                                                                 \
    (str, function), (str, file), (i32, line), (i32, offset), (str, value), (str, qualname),       \
        (u32, id)
#define ARGS_CALL                                                                                  \
    (str, function), (str, file), (i32, line), (i32, offset), (str, callable), (str, qualname),    \
        (u32, id)
#define ARGS_RAISED                                                                                \
    (str, function), (str, file), (i32, line), (i32, offset), (str, exception), (str, qualname),   \
        (u32, id)
#define ARGS_LINE (str, function), (str, file), (i32, line), (str, qualname), (u32, id)

/* clang-format off */
#define PYUSDT_EVENTS(EVENT) \
    EVENT(PY_START, ENTRY, LOCAL, START, 2, NEED(PY_START), \
          "a function starts", ARGS_ENTRY) \
    EVENT(PY_RESUME, ENTRY, LOCAL, RESUME, 2, NEED(PY_RESUME), \
          "a generator or coroutine resumes", ARGS_ENTRY) \
    EVENT(PY_THROW, RAISED, GLOBAL, THROW, 3, NEED(PY_THROW), \
          "an exception is thrown into a generator or coroutine", ARGS_RAISED) \
    EVENT(PY_RETURN, VALUE, LOCAL, RETURN, 3, NEED(PY_RETURN), \
          "a function returns", ARGS_VALUE) \
    EVENT(PY_YIELD, VALUE, LOCAL, YIELD, 3, NEED(PY_YIELD), \
          "a generator or coroutine yields", ARGS_VALUE) \
    EVENT(PY_UNWIND, RAISED, GLOBAL, UNWIND, 3, NEED(PY_UNWIND), \
          "a function ends by an exception", ARGS_RAISED) \
    EVENT(CALL, CALL, LOCAL, CALL, 4, NEED(CALL), \
          "a function is about to call", ARGS_CALL) \
    EVENT(C_RETURN, CALL, CALLED, C_RETURN, 4, NEED(CALL) | NEED(C_RETURN), \
          "a C function that was called returns", ARGS_CALL) \
    EVENT(C_RAISE, CALL, CALLED, C_RAISE, 4, NEED(CALL) | NEED(C_RAISE), \
          "a C function that was called raises", ARGS_CALL) \
    EVENT(LINE, LINE, LOCAL, LINE, 2, NEED(LINE), \
          "a line is about to run", ARGS_LINE) \
    EVENT(RAISE, RAISED, GLOBAL, RAISE, 3, NEED(RAISE), \
          "an exception is raised, or crosses a function", ARGS_RAISED) \
    EVENT(RERAISE, RAISED, GLOBAL, NONE, 3, NEED(RERAISE), \
          "an exception is raised again (end of finally, except)", ARGS_RAISED) \
    EVENT(EXCEPTION_HANDLED, RAISED, GLOBAL, NONE, 3, NEED(EXCEPTION_HANDLED), \
          "an exception is caught", ARGS_RAISED) \
    EVENT(STOP_ITERATION, STOP, LOCAL, NONE, 3, NEED(STOP_ITERATION), \
          "an iterator ends without raising StopIteration", ARGS_VALUE)
/* clang-format on */

/* The entries and exits that keep a call tree up to date. */
#define NEED_FRAMES                                                                                \
    (NEED(PY_START) | NEED(PY_RESUME) | NEED(PY_THROW) | NEED(PY_RETURN) | NEED(PY_YIELD) |        \
     NEED(PY_UNWIND))

#define ARGS_DONE                                                                                  \
    (str, qualname), (str, file), (i32, line), (u32, id), (u32, depth), (u64, elapsed_ns),         \
        (u64, self_ns), (i32, outcome)

/* clang-format off */
#define PYUSDT_DERIVED(DERIVED) \
    DERIVED(function__done, NEED_FRAMES, \
            "a function ends: outcome 0 return, 1 yield, 2 unwind", ARGS_DONE) \
    DERIVED(function__slow, NEED_FRAMES, \
            "as function__done, but only if elapsed_ns reaches the setting slow", ARGS_DONE) \
    DERIVED(function__latency, NEED_FRAMES, \
            "what was suspended ends: elapsed_ns since its first entry; outcome as function__done", \
            (str, qualname), (str, file), (i32, line), (u32, id), (u64, elapsed_ns), \
            (i32, outcome)) \
    DERIVED(code__new, NEED(PY_START), \
            "a code object is new; again for each known one at attach, once a second, and at exit", \
            (u32, id), (str, module), (str, qualname), (str, file), (i32, line)) \
    DERIVED(thread__state, NEED_FRAMES, \
            "a thread is tracked: slot leads to its current node (pyusdt_node.h); once a second again", \
            (u32, tid), (ptr, slot), (str, name)) \
    DERIVED(events, NEED_FRAMES, \
            "a thread has entered and left functions: n records (pyusdt_batch.h) in one trap", \
            (ptr, records), (u32, n)) \
    DERIVED(gc__begin, 0, "the garbage collector starts", (i32, generation)) \
    DERIVED(gc__end, 0, "the garbage collector ends", \
            (i32, generation), (i64, collected), (i64, uncollectable), (u64, elapsed_ns)) \
    DERIVED(mark, 0, "pyusdt.mark() is called", (str, name), (str, text), (i64, value)) \
    DERIVED(step__start, 0, "pyusdt.step() or an iteration of pyusdt.steps() starts", \
            (str, name)) \
    DERIVED(step__done, 0, "a step ends", (str, name), (u64, elapsed_ns)) \
    DERIVED(mem__large, NEED_FRAMES, \
            "a block of bytes that reach the setting large is allocated, by Python or in C code", \
            (str, qualname), (str, file), (i32, line), (u32, id), (u64, bytes), (ptr, address))
/* clang-format on */

#define ARGS_COMPAT (str, file), (str, function), (i32, line)

/* clang-format off */
#define PYUSDT_COMPAT(COMPAT) \
    COMPAT(function__entry, NEED(PY_START) | NEED(PY_RESUME) | NEED(PY_THROW), \
           "a function starts, resumes, or is thrown into", ARGS_COMPAT) \
    COMPAT(function__return, NEED(PY_RETURN) | NEED(PY_YIELD) | NEED(PY_UNWIND), \
           "a function returns, yields, or ends by an exception", ARGS_COMPAT) \
    COMPAT(line, NEED(LINE), "a line is about to run", ARGS_COMPAT)
/* clang-format on */

/* The C type of an argument. */
#define ARG_C_str const char *
#define ARG_C_i32 int32_t
#define ARG_C_u32 uint32_t
#define ARG_C_i64 int64_t
#define ARG_C_u64 uint64_t
#define ARG_C_ptr const void *

#define ARG_PARAMETER(type, name) ARG_C_##type name
#define ARG_NAME(type, name) name
#define ARG_TEXT(type, name) #type " " #name

#define EVENT_ENUM(name, ...) EVENT_##name,
enum event { PYUSDT_EVENTS(EVENT_ENUM) EVENT_COUNT };
#undef EVENT_ENUM

/* The columns of an event that code switches on. */
enum event_scope { SCOPE_LOCAL, SCOPE_GLOBAL, SCOPE_CALLED };
enum event_frame {
    FRAME_NONE,
    FRAME_START,
    FRAME_RESUME,
    FRAME_THROW,
    FRAME_RETURN,
    FRAME_YIELD,
    FRAME_UNWIND,
    FRAME_LINE,
    FRAME_RAISE,
    FRAME_CALL,
    FRAME_C_RETURN,
    FRAME_C_RAISE,
};

struct event_traits {
    enum event_scope scope;
    enum event_frame frame;
    uint32_t argc;
};

/* In the header, so that the traits of an event that is a constant are constants. */
#define EVENT_TRAITS(name, shape, scope, frame, argc, ...)                                         \
    [EVENT_##name] = {SCOPE_##scope, FRAME_##frame, argc},
static const struct event_traits events_traits[EVENT_COUNT] = {PYUSDT_EVENTS(EVENT_TRAITS)};
#undef EVENT_TRAITS

static inline int event_enters(enum event_frame frame) {
    return frame == FRAME_START || frame == FRAME_RESUME || frame == FRAME_THROW;
}

static inline int event_leaves(enum event_frame frame) {
    return frame == FRAME_RETURN || frame == FRAME_YIELD || frame == FRAME_UNWIND;
}

/* The probes of provider pyusdt, and all probes. ROW takes (name, needs, summary, arguments...);
 * ROW_OF_EVENT takes the same, with the four columns that only events have after the name. */
#define PYUSDT_OWN(ROW, ROW_OF_EVENT) PYUSDT_EVENTS(ROW_OF_EVENT) PYUSDT_DERIVED(ROW)
#define PYUSDT_PROBES(ROW, ROW_OF_EVENT) PYUSDT_OWN(ROW, ROW_OF_EVENT) PYUSDT_COMPAT(ROW)

/* A set of events, one bit each in the order of the table (not CPython's numbers, which shift
 * between versions: monitor.c translates). */
typedef uint32_t event_mask;
#define NEED(name) ((event_mask)1 << EVENT_##name)

#endif
