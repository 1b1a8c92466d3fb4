/* SPDX-License-Identifier: Apache-2.0
 *
 * Somebody else's usdt.h: the macro API of libbpf/usdt over SystemTap's <sys/sdt.h>. Semaphores
 * have variables of another name than ours, as libbpf's have, so that code which takes the name of
 * the one for the other does not compile.
 */
#ifndef OTHER_USDT_H
#define OTHER_USDT_H

#define SDT_USE_VARIADIC
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

struct usdt_sema {
    volatile unsigned short active;
};

#define USDT_SEMA(sema) other_##sema
#define USDT_DECLARE_SEMA(sema)                                                                    \
    extern struct usdt_sema USDT_SEMA(sema) __attribute__((visibility("hidden")))
#define USDT_DEFINE_SEMA(sema)                                                                     \
    USDT_DECLARE_SEMA(sema);                                                                       \
    struct usdt_sema USDT_SEMA(sema) __attribute__((used, section(".probes"))) = {0}
#define USDT_SEMA_IS_ACTIVE(sema) (USDT_SEMA(sema).active > 0)

/* <sys/sdt.h> wants the symbol provider_name_semaphore: another name for the variable. */
#define USDT_WITH_EXPLICIT_SEMA(sema, provider, name, ...)                                         \
    do {                                                                                           \
        extern struct usdt_sema provider##_##name##_semaphore                                      \
            __attribute__((visibility("hidden")));                                                 \
        __asm__(".set " #provider "_" #name "_semaphore, other_" #sema);                           \
        STAP_PROBEV(provider, name, __VA_ARGS__);                                                  \
    } while (0)

#endif
