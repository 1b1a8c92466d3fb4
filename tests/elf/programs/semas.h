/* SPDX-License-Identifier: Apache-2.0 */
/* What semas.c and other.c share. */
#include <stdio.h>

#include "usdt.h"

#ifdef __cplusplus
extern "C" {
#endif
USDT_DECLARE_SEMA(own_sema);
void other(int x);
#ifdef __cplusplus
}
#endif

/* In every file that includes this, and the same probe in all of them. */
static inline void in_header(int x) {
    USDT_WITH_SEMA(sema, in_header, x);
}
