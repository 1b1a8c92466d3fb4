/* SPDX-License-Identifier: Apache-2.0
 *
 * EACH(M, (a, b), (c, d), ...) expands to M(a, b), M(c, d), ... for 1 to 10 pairs: enough for the
 * arguments of a probe, since old tracers read no more than ten.
 *
 * Private to: probe
 */
#ifndef PYUSDT_PROBE_EACH_H
#define PYUSDT_PROBE_EACH_H

#define EACH_1(M, a) M a
#define EACH_2(M, a, ...) M a, EACH_1(M, __VA_ARGS__)
#define EACH_3(M, a, ...) M a, EACH_2(M, __VA_ARGS__)
#define EACH_4(M, a, ...) M a, EACH_3(M, __VA_ARGS__)
#define EACH_5(M, a, ...) M a, EACH_4(M, __VA_ARGS__)
#define EACH_6(M, a, ...) M a, EACH_5(M, __VA_ARGS__)
#define EACH_7(M, a, ...) M a, EACH_6(M, __VA_ARGS__)
#define EACH_8(M, a, ...) M a, EACH_7(M, __VA_ARGS__)
#define EACH_9(M, a, ...) M a, EACH_8(M, __VA_ARGS__)
#define EACH_10(M, a, ...) M a, EACH_9(M, __VA_ARGS__)
#define EACH_PICK(a, b, c, d, e, f, g, h, i, j, picked, ...) picked
#define EACH(M, ...)                                                                               \
    EACH_PICK(__VA_ARGS__, EACH_10, EACH_9, EACH_8, EACH_7, EACH_6, EACH_5, EACH_4, EACH_3,        \
              EACH_2, EACH_1, EACH_0)                                                              \
    (M, __VA_ARGS__)

#endif
