/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One probe for every kind of argument, C and C++ alike; expected.py says what each must look like.
 * Over <sys/sdt.h> (-DOVER_SDT) some are left out. Prints how often arguments with side effects
 * were evaluated, and an address for the tracer's test.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "usdt.h"

enum color { RED, GREEN, BLUE };
enum temperature { COLD = -40, HOT = 40 };
struct opaque;

/* Volatile, so that no compiler knows a value beforehand. */
static volatile struct {
    int8_t s8;
    uint8_t u8;
    int16_t s16;
    uint16_t u16;
    int32_t s32;
    uint32_t u32;
    int64_t s64;
    uint64_t u64;
    long long ll;
    unsigned long long ull;
    char plain;
    bool yes;
    enum color color;
    enum temperature temperature;
    unsigned bit_u3 : 3;
    int bit_s5 : 5;
    bool bit_yes : 1;
    uint64_t bit_u40 : 40;
    struct opaque *incomplete;
} v = {
    -8, 200,  -1600, 60000, -320000, 4000000000u, -64000000000000,        UINT64_MAX, -5, 5, '\x41',
    1,  BLUE, COLD,  5,     -9,      1,           UINT64_C(0xf123456789), 0};

static void integers(void) {
    USDT(kinds, s8, v.s8);
    USDT(kinds, u8, v.u8);
    USDT(kinds, s16, v.s16);
    USDT(kinds, u16, v.u16);
    USDT(kinds, s32, v.s32);
    USDT(kinds, u32, v.u32);
    USDT(kinds, s64, v.s64);
    USDT(kinds, u64, v.u64);
    USDT(kinds, ll, v.ll);
    USDT(kinds, ull, v.ull);
    USDT(kinds, plain_char, v.plain);
    USDT(kinds, boolean, v.yes);
    USDT(kinds, plain_enum, v.color);
    USDT(kinds, signed_enum, v.temperature);
    USDT(kinds, expression, v.u8 - v.s32);
    USDT(kinds, conditional, v.u8 > 100 ? v.s16 : 0L);
}

#define EXPANDED renamed
static void beyond_sdt(void) {
#ifndef OVER_SDT
    USDT(kinds, bit_u3, v.bit_u3);
    USDT(kinds, bit_s5, v.bit_s5);
    USDT(kinds, bit_bool, v.bit_yes);
    USDT(kinds, bit_u40, v.bit_u40);
    USDT(EXPANDED, EXPANDED);
#endif
}

static void constants(void) {
    const short named = -7;

    USDT(kinds, constant, 42);
    USDT(kinds, negative, -1);
    USDT(kinds, large, 0x123456789abcLL);
    USDT(kinds, cast, (uint8_t)0x1ff);
    USDT(kinds, named, named);
}

static void pointers(void) {
    static int numbers[3] = {1, 2, 3};
    const volatile void *const at = numbers;

    USDT(kinds, incomplete, v.incomplete);
    USDT(kinds, pointer_void, (void *)numbers);
    USDT(kinds, pointer_const, at);
    USDT(kinds, pointer_function, &pointers);
    USDT(kinds, function, pointers);
    USDT(kinds, array, numbers);
    printf("numbers %lld function %lld\n", (long long)(intptr_t)numbers,
           (long long)(intptr_t)pointers);
}

/* What the pointers point at is on the stack, and only the tracer reads it. */
static void texts(void) {
    char on_stack[] = "on the stack ?";

    on_stack[sizeof(on_stack) - 2] = (char)v.plain;
    USDT(text, literal, "a literal");
    USDT(text, array, on_stack);
    USDT(text, inner, &on_stack[3]);
}

static void arities(void) {
    int a = v.u8;

    USDT(arity, a0);
    USDT(arity, a1, a);
    USDT(arity, a2, a, 2);
    USDT(arity, a3, a, 2, a);
    USDT(arity, a4, a, 2, a, 4);
    USDT(arity, a5, a, 2, a, 4, a);
    USDT(arity, a6, a, 2, a, 4, a, 6);
    USDT(arity, a7, a, 2, a, 4, a, 6, a);
    USDT(arity, a8, a, 2, a, 4, a, 6, a, 8);
    USDT(arity, a9, a, 2, a, 4, a, 6, a, 8, a);
    USDT(arity, a10, a, 2, a, 4, a, 6, a, 8, a, 10);
    USDT(arity, a11, a, 2, a, 4, a, 6, a, 8, a, 10, a);
    USDT(arity, a12, v.s8, v.u64, v.s16, v.u32, v.s64, v.u8, v.u16, v.s32, a, v.ull, v.yes, &v);
}

static int evaluated;

static int next(void) {
    return ++evaluated;
}

USDT_DEFINE_SEMA(own_sema);

static void once(void) {
    USDT(once, plain, next(), next());
    USDT_WITH_SEMA(once, implicit, next(), next());
    USDT_WITH_EXPLICIT_SEMA(own_sema, once, explicit_, next(), next());
    printf("evaluated %d\n", evaluated);
}

/* Names that are parameters of the macros, and a statement that must be one. */
static void names(void) {
    USDT(n, sema, 1);
    if (v.yes)
        USDT(n, provider);
    else
        USDT(n, x);
}

int main(void) {
    integers();
    beyond_sdt();
    constants();
    pointers();
    texts();
    arities();
    once();
    names();
    return 0;
}
