/* SPDX-License-Identifier: Apache-2.0
 *
 * What we ask of the compiler beyond the language: for C and C++, gcc and clang.
 */
#ifndef PYUSDT_BASE_COMPILER_H
#define PYUSDT_BASE_COMPILER_H

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define HOT __attribute__((hot))
#define COLD __attribute__((noinline, cold))

#endif
