/* SPDX-License-Identifier: Apache-2.0
 *
 * What gcc and clang know beyond the C standard, by one name each. For C and C++.
 */
#ifndef PYUSDT_BASE_COMPILER_H
#define PYUSDT_BASE_COMPILER_H

#include <features.h> /* __GLIBC__ */

/* Which way a test goes nearly always. */
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Before a function: its body goes into each caller; never does; is rarely run, and stays out of
 * the way of what is; is what an event costs. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((noinline, cold))
#define HOT __attribute__((hot))

/* Before a function that ends with JUMP_TO(call): the call is a jump, so that what is called finds
 * the caller of this function as its own. Both have the same arguments and result. */
#ifdef __clang__
#define JUMPS
#define JUMP_TO(call) __attribute__((musttail)) return call
#else
#define JUMPS __attribute__((optimize("O2"), no_sanitize("thread", "address")))
#define JUMP_TO(call) return call
#endif

/* Other libraries, and tracers, find it by name: all else in this library is hidden. */
#define EXPORTED __attribute__((visibility("default")))

/* Argument number `text` is a printf format, and its values begin at argument number `first`. */
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* A variable of each thread. Where the C library allows it, it is read by one load: the other
 * models call a function. A library that is loaded late finds room for a few words in the threads'
 * static blocks with glibc, and musl refuses. */
#ifdef __GLIBC__
#define THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#else
#define THREAD_LOCAL __thread
#endif

#endif
