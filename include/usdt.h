/* SPDX-License-Identifier: Apache-2.0 */
/*
 * USDT probes: places in a program that a tracer (bpftrace, perf, bcc, gdb) can find by name and
 * attach to, while the program runs and without its help. The macros are those of libbpf/usdt, so
 * that either header serves:
 *
 *   USDT(provider, name, args...)                 a probe without a semaphore
 *   USDT_WITH_SEMA(provider, name, args...)       a probe with an implicit semaphore
 *   USDT_IS_ACTIVE(provider, name)                is a tracer attached to it? (an expression)
 *
 *   USDT_DEFINE_SEMA(sema);                       a semaphore of one's own, once in the program
 *   USDT_DECLARE_SEMA(sema);                      the same, seen from other files
 *   USDT_WITH_EXPLICIT_SEMA(sema, provider, name, args...)
 *   USDT_SEMA_IS_ACTIVE(sema)
 *
 * 0 to 12 arguments: integers of 1 to 8 bytes, bool, enums, bit-fields, pointers of every kind,
 * arrays (as the pointer to their first element). No floating point, no structs. Each is evaluated
 * exactly once, tracer or none. Provider, name and sema are C identifiers, not strings; a macro
 * among them is expanded. Needs GNU assembler syntax and C11 or C++11, from gcc or clang.
 *
 * How it works
 * ------------
 * A probe compiles to a nop. Beside it, in a section that is never loaded into memory, lies an ELF
 * note for the tracer, of type 3 and owner "stapsdt" (the format is SystemTap's):
 *
 *   address of the nop            8 bytes each, as linked
 *   address of _.stapsdt.base     1 byte in section .stapsdt.base: where that section is now, less
 *                                 this, is how far a tool (prelink) has moved all three since
 *   address of the semaphore      0 where there is none
 *   "provider\0" "name\0"
 *   "args\0"                      one "SIZE@OPERAND" each, between spaces
 *
 * SIZE is in bytes, negative if signed; OPERAND is the assembler's. "-4@%edi" is an int in a
 * register, "8@$42" a constant, "1@-8(%rbp)" a byte in memory.
 *
 * The tracer has the kernel put a breakpoint on the nop, and reads the operands whenever it is hit.
 * Without a tracer, a probe costs the nop, and having the arguments at hand. Where making them
 * costs something, a semaphore shows whether a tracer wants them: a 16-bit counter in the program's
 * memory, which the kernel keeps above 0 while a tracer is attached. How far above depends on the
 * kernel and the tool: only != 0 has a meaning.
 *
 * A kernel that attaches two tracers to one place insists that both name the same semaphore. So all
 * places in one program or library with the same provider and name share one: a weak symbol. It is
 * hidden, because a note can only refer to its own file: a library that shared it with the program
 * would read a counter that is never raised. The kernel finds it by offset in the file, so it has
 * to lie in a private, writable, file-backed segment: section .probes (not .bss, nor RELRO).
 */
#ifndef USDT_H
#define USDT_H

/*
 * The nop. On x86-64 the note names a 1-byte nop, as every kernel can put a breakpoint there,
 * cheaply. The 10-byte nop behind it is for kernels to come that can turn it into a call instead;
 * they write such an instruction whole, hence the alignment: the pair never crosses a page. The
 * padding comes before the address that the note names. Do not put the probe on a 5-byte nop:
 * Linux 6.18 makes that a call which overwrites the red zone, and kills a child forked after the
 * first hit.
 */
#if defined(__x86_64__)
#ifndef USDT_NOP
#define USDT_NOP .byte 0x90, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
#endif
#define USDT_ALIGN_ ".balign 16\n"
#define USDT_LOAD_(sema) "movzwl " sema "(%%rip), %k0\n"
#elif defined(__aarch64__)
#ifndef USDT_NOP
#define USDT_NOP nop
#endif
#define USDT_ALIGN_ ""
#define USDT_LOAD_(sema) "adrp %0, " sema "\nldrh %w0, [%0, :lo12:" sema "]\n"
#else
#error "usdt.h knows x86-64 and aarch64 only"
#endif

/* Constant or register. Memory ("nor") would spare an instruction now and then, but libbpf before
 * 1.7 does not understand an operand such as 8(%rax,%rbx,4). */
#ifndef USDT_ARG_CONSTRAINT
#define USDT_ARG_CONSTRAINT nr
#endif

struct usdt_sema {
    volatile unsigned short active; /* written by the kernel */
};

/* ---- public macros ---- */

/* USDT(provider, name, args...) */
#define USDT(provider, ...) USDT_SITE_(USDT_COUNT_(__VA_ARGS__), "0", provider, __VA_ARGS__)

/* USDT_WITH_SEMA(provider, name, args...) */
#define USDT_WITH_SEMA(provider, ...)                                                              \
    do {                                                                                           \
        __asm__(USDT_DEFINE_IMPLICIT_(USDT_STR_(USDT_IMPLICIT_(provider, __VA_ARGS__, ~))));       \
        USDT_SITE_(USDT_COUNT_(__VA_ARGS__), USDT_STR_(USDT_IMPLICIT_(provider, __VA_ARGS__, ~)),  \
                   provider, __VA_ARGS__);                                                         \
    } while (0)

#define USDT_IS_ACTIVE(provider, name) USDT_IMPLICIT_IS_ACTIVE_(USDT_IMPLICIT_(provider, name, ~))

/* The variable behind a semaphore's name; other implementations give it a name of its own. */
#define USDT_SEMA(sema) sema

/* The name is also the symbol's, in a C++ namespace too: the note refers to it. */
#define USDT_DECLARE_SEMA(sema)                                                                    \
    extern struct usdt_sema sema __asm__(USDT_STR_(sema)) __attribute__((visibility("hidden")))

#define USDT_DEFINE_SEMA(sema)                                                                     \
    USDT_DECLARE_SEMA(sema);                                                                       \
    struct usdt_sema sema __attribute__((used, section(".probes"))) = {0}

/* USDT_WITH_EXPLICIT_SEMA(sema, provider, name, args...) */
#define USDT_WITH_EXPLICIT_SEMA(sema, provider, ...)                                               \
    USDT_SITE_(USDT_COUNT_(__VA_ARGS__), USDT_STR_(sema), provider, __VA_ARGS__)

#define USDT_SEMA_IS_ACTIVE(sema) __builtin_expect((sema).active != 0, 0)

/* ---- the preprocessor's part ---- */

#define USDT_STR_(...) USDT_STR1_(__VA_ARGS__)
#define USDT_STR1_(...) #__VA_ARGS__
#define USDT_CAT_(a, b) USDT_CAT1_(a, b)
#define USDT_CAT1_(a, b) a##b
#define USDT_FIRST_(...) USDT_FIRST1_(__VA_ARGS__, ~)
#define USDT_FIRST1_(first, ...) first

/* The implicit semaphore of a probe; `...` is what follows the name, never empty. */
#define USDT_IMPLICIT_(provider, name, ...) USDT_IMPLICIT1_(provider, name)
#define USDT_IMPLICIT1_(provider, name) usdt_sema_##provider##__##name

/* How many arguments follow the name. */
#define USDT_COUNT_(...) USDT_COUNT1_(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, ~)
#define USDT_COUNT1_(name, a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n

/* USDT_MAP_(n, f, sep, name, args...): f(n, first) sep() f(n - 1, second) sep() ... f(1, last).
 * An argument's number counts down, which does not matter: the order stays. */
#define USDT_MAP_(n, ...) USDT_CAT_(USDT_MAP_, n)(__VA_ARGS__)
#define USDT_MAP_0(f, sep, name)
#define USDT_MAP_1(f, sep, name, x) f(1, x)
#define USDT_MAP_2(f, sep, name, x, ...) f(2, x) sep() USDT_MAP_1(f, sep, name, __VA_ARGS__)
#define USDT_MAP_3(f, sep, name, x, ...) f(3, x) sep() USDT_MAP_2(f, sep, name, __VA_ARGS__)
#define USDT_MAP_4(f, sep, name, x, ...) f(4, x) sep() USDT_MAP_3(f, sep, name, __VA_ARGS__)
#define USDT_MAP_5(f, sep, name, x, ...) f(5, x) sep() USDT_MAP_4(f, sep, name, __VA_ARGS__)
#define USDT_MAP_6(f, sep, name, x, ...) f(6, x) sep() USDT_MAP_5(f, sep, name, __VA_ARGS__)
#define USDT_MAP_7(f, sep, name, x, ...) f(7, x) sep() USDT_MAP_6(f, sep, name, __VA_ARGS__)
#define USDT_MAP_8(f, sep, name, x, ...) f(8, x) sep() USDT_MAP_7(f, sep, name, __VA_ARGS__)
#define USDT_MAP_9(f, sep, name, x, ...) f(9, x) sep() USDT_MAP_8(f, sep, name, __VA_ARGS__)
#define USDT_MAP_10(f, sep, name, x, ...) f(10, x) sep() USDT_MAP_9(f, sep, name, __VA_ARGS__)
#define USDT_MAP_11(f, sep, name, x, ...) f(11, x) sep() USDT_MAP_10(f, sep, name, __VA_ARGS__)
#define USDT_MAP_12(f, sep, name, x, ...) f(12, x) sep() USDT_MAP_11(f, sep, name, __VA_ARGS__)

#define USDT_SEMICOLON_() ;
#define USDT_SPACE_() " "
#define USDT_COMMA_() ,

/* ---- the compiler's part: what an argument is ---- */

/* USDT_SIGN_(var) is -1 where var's type has negative values, and else 1. */
#ifdef __cplusplus
extern "C++" { /* a file may include this inside extern "C" */
template <class T, bool = __is_enum(T)> struct usdt_sign {
    static const int value = T(-1) < T(1) ? -1 : 1;
};
template <class T> struct usdt_sign<T, true> : usdt_sign<__underlying_type(T)> {};
template <class T> struct usdt_sign<T *, false> { static const int value = 1; };
template <> struct usdt_sign<decltype(nullptr), false> { static const int value = 1; };
template <> struct usdt_sign<float, false>;
template <> struct usdt_sign<double, false>;
}
#define USDT_COPY_(n, x) auto usdt_arg_##n = (x)
#define USDT_SIGN_(var) (usdt_sign<decltype(var)>::value)
#define USDT_CHOOSE_(condition, a, b) ((condition) ? (a) : (b))
#else
/* The comma makes an array a pointer, and a bit-field something that has a type: with gcc one of
 * its own, as wide as the field, which only `default` catches. 5 is __builtin_classify_type's word
 * for a pointer. */
#define USDT_COPY_(n, x) __extension__ __auto_type usdt_arg_##n = ((void)0, (x))
/* clang-format off */
#define USDT_SIGN_(var)                                                                            \
    _Generic(var, unsigned long: 1, unsigned long long: 1, float: (void)0, double: (void)0,        \
             default: __builtin_classify_type(var) != 5 && (long)(__typeof__(var))-1 < 0 ? -1 : 1)
/* clang-format on */
#define USDT_CHOOSE_ __builtin_choose_expr
#endif

/* The copy, or x itself where it is a constant: without optimization the compiler would not know
 * that the copy is one. This does not evaluate x. */
#define USDT_VALUE_(var, x) USDT_CHOOSE_(__builtin_constant_p(x), (__typeof__(var))(x), var)

/* aarch64 names its registers after the width of the operand, and clang wants that to be 8 bytes;
 * the tracer reads the lower SIZE bytes only. */
#ifdef __aarch64__
#define USDT_WIDE_(var) ((unsigned long)(var))
#else
#define USDT_WIDE_(var) (var)
#endif

/* How argument n is written for the assembler: "-4@%edi", by two operands (%c: a bare constant). */
#define USDT_SPEC_(n, x) "%c[usdt_size_" #n "]@%[usdt_arg_" #n "]"
#define USDT_OPERANDS_(n, x)                                                                       \
    [usdt_size_##n] "n"(USDT_SIGN_(usdt_arg_##n) * (int)sizeof(usdt_arg_##n)),                     \
        [usdt_arg_##n] USDT_STR_(USDT_ARG_CONSTRAINT)(USDT_WIDE_(USDT_VALUE_(usdt_arg_##n, x)))

/* ---- the assembler's part ---- */

/* clang-format off */

/* One site. The memory clobber: what a pointer among the arguments points at has been written by
 * now, for the tracer reads it. The "?" puts the note of an inline function into that function's
 * group, to be dropped or kept with it. */
#define USDT_SITE_(n, sema, provider, ...)                                                         \
    do {                                                                                           \
        USDT_MAP_(n, USDT_COPY_, USDT_SEMICOLON_, __VA_ARGS__);                                    \
        __asm__ __volatile__(                                                                      \
            USDT_ALIGN_                                                                            \
            "1: " USDT_STR_(USDT_NOP) "\n"                                                         \
            ".pushsection .note.stapsdt, \"?\", \"note\"\n"                                        \
            ".balign 4\n"                                                                          \
            ".4byte 3f - 2f, 5f - 4f, 3\n"                                                         \
            "2: .asciz \"stapsdt\"\n"                                                              \
            "3: .balign 4\n"                                                                       \
            "4: .8byte 1b, _.stapsdt.base, " sema "\n"                                             \
            ".asciz \"" USDT_STR_(provider) "\"\n"                                                 \
            ".asciz \"" USDT_STR_(USDT_FIRST_(__VA_ARGS__)) "\"\n"                                 \
            ".asciz \"" USDT_MAP_(n, USDT_SPEC_, USDT_SPACE_, __VA_ARGS__) "\"\n"                  \
            "5: .balign 4\n"                                                                       \
            ".popsection\n"                                                                        \
            ".ifndef _.stapsdt.base\n"                                                             \
            ".pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat\n"            \
            ".weak _.stapsdt.base\n"                                                               \
            ".hidden _.stapsdt.base\n"                                                             \
            "_.stapsdt.base: .zero 1\n"                                                            \
            ".size _.stapsdt.base, 1\n"                                                            \
            ".popsection\n"                                                                        \
            ".endif\n"                                                                             \
            :                                                                                      \
            : USDT_MAP_(n, USDT_OPERANDS_, USDT_COMMA_, __VA_ARGS__)                               \
            : "memory");                                                                           \
    } while (0)

/* clang-format on */

/* The implicit semaphore, where this file has not defined it yet. */
#define USDT_DEFINE_IMPLICIT_(sema)                                                                \
    ".ifndef " sema "\n"                                                                           \
    ".pushsection .probes, \"aw\", \"progbits\"\n"                                                 \
    ".balign 2\n"                                                                                  \
    ".weak " sema "\n"                                                                             \
    ".hidden " sema "\n"                                                                           \
    ".type " sema ", STT_OBJECT\n" sema ": .zero 2\n"                                              \
    ".size " sema ", 2\n"                                                                          \
    ".popsection\n"                                                                                \
    ".endif\n"

/* The assembler loads it, as C++ has no declaration that would do in every scope: a block-scope
 * extern in an unnamed namespace is internal there. */
#define USDT_IMPLICIT_IS_ACTIVE_(sema)                                                             \
    __extension__({                                                                                \
        unsigned long usdt_active_;                                                                \
        __asm__ __volatile__(USDT_DEFINE_IMPLICIT_(USDT_STR_(sema)) USDT_LOAD_(USDT_STR_(sema))    \
                             : "=r"(usdt_active_));                                                \
        __builtin_expect(usdt_active_ != 0, 0);                                                    \
    })

#endif /* USDT_H */
