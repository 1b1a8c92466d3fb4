/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of include/usdt.h over SystemTap's <sys/sdt.h>: somebody else's header, for the tests.
 * C only. <sys/sdt.h> wants a semaphore PROVIDER_NAME_semaphore for every probe: that is what an
 * implicit one is called here; elsewhere it becomes another name for the one given, or for 0.
 */
#ifndef USDT_H
#define USDT_H

#define SDT_USE_VARIADIC 1
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#define USDT(provider, name, ...)                                                                  \
    OVER_SDT_ALIASED(".set " #provider "_" #name "_semaphore, 0\n", provider, name, ##__VA_ARGS__)

#define USDT_WITH_EXPLICIT_SEMA(sema, provider, name, ...)                                         \
    OVER_SDT_ALIASED(".weakref " #provider "_" #name "_semaphore, " #sema "\n", provider, name,    \
                     ##__VA_ARGS__)

#define USDT_WITH_SEMA(provider, name, ...)                                                        \
    do {                                                                                           \
        USDT_DECLARE_SEMA(provider##_##name##_semaphore);                                          \
        OVER_SDT_DEFINE(#provider "_" #name "_semaphore");                                         \
        STAP_PROBEV(provider, name, ##__VA_ARGS__);                                                \
    } while (0)

#define USDT_IS_ACTIVE(provider, name)                                                             \
    __extension__({                                                                                \
        USDT_DECLARE_SEMA(provider##_##name##_semaphore);                                          \
        OVER_SDT_DEFINE(#provider "_" #name "_semaphore");                                         \
        USDT_SEMA_IS_ACTIVE(provider##_##name##_semaphore);                                        \
    })

#define USDT_DECLARE_SEMA(sema)                                                                    \
    extern volatile unsigned short sema __attribute__((visibility("hidden")))
#define USDT_DEFINE_SEMA(sema)                                                                     \
    USDT_DECLARE_SEMA(sema);                                                                       \
    volatile unsigned short sema __attribute__((used, section(".probes"))) = 0
#define USDT_SEMA_IS_ACTIVE(sema) __builtin_expect((sema) != 0, 0)

#define OVER_SDT_ALIASED(alias, provider, name, ...)                                               \
    do {                                                                                           \
        USDT_DECLARE_SEMA(provider##_##name##_semaphore);                                          \
        __asm__(alias);                                                                            \
        STAP_PROBEV(provider, name, ##__VA_ARGS__);                                                \
    } while (0)

#define OVER_SDT_DEFINE(symbol)                                                                    \
    __asm__(".ifndef " symbol "\n"                                                                 \
            ".pushsection .probes, \"aw\"\n"                                                       \
            ".weak " symbol "\n"                                                                   \
            ".hidden " symbol "\n" symbol ": .2byte 0\n"                                           \
            ".popsection\n"                                                                        \
            ".endif\n")

#endif /* USDT_H */
