/* SPDX-License-Identifier: Apache-2.0 */
/* The second file of a program, or its library (-DLIBRARY), which has semaphores of its own. */
#include "semas.h"

#ifdef LIBRARY
USDT_DEFINE_SEMA(own_sema);
#endif

void other(int x) {
    USDT_WITH_SEMA(sema, implicit, x);
    USDT_WITH_EXPLICIT_SEMA(own_sema, sema, explicit_, x);
    in_header(x);
    printf("other: implicit %d explicit %d\n", !!USDT_IS_ACTIVE(sema, implicit),
           !!USDT_SEMA_IS_ACTIVE(own_sema));
}
