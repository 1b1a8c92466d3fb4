/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphores, shared with other.c. Prints which are up: all under a tracer, none without. */
#include "semas.h"

USDT_DEFINE_SEMA(own_sema);

int main(int argc, char **argv) {
    (void)argv;
    if (USDT_IS_ACTIVE(sema, implicit))
        USDT_WITH_SEMA(sema, implicit, argc);
    if (USDT_SEMA_IS_ACTIVE(own_sema))
        USDT_WITH_EXPLICIT_SEMA(own_sema, sema, explicit_, argc);
    USDT_WITH_SEMA(sema, unasked, argc);
    in_header(argc);
    printf("main: implicit %d explicit %d counter %d\n", !!USDT_IS_ACTIVE(sema, implicit),
           !!USDT_SEMA_IS_ACTIVE(own_sema), *(const volatile unsigned short *)&own_sema != 0);
    other(argc);
    return 0;
}
