/* SPDX-License-Identifier: Apache-2.0
 *
 * What a thread waits for, by the number of the system call that it waits in.
 */
#ifndef PYUSDT_BASE_WAIT_CLASS_H
#define PYUSDT_BASE_WAIT_CLASS_H

#include <stdint.h>

#include "pyusdt_counts.h"

/* Beside PYUSDT_CHARGE_*: where the first argument decides. */
enum {
    WAIT_BY_DESCRIPTOR = PYUSDT_CHARGES, /* NET or DISK, by what it is */
    WAIT_BY_ADDRESS,                     /* GIL or LOCK, by the address of the futex */
};

/* PYUSDT_CHARGE_*, OTHER for what is not known, or one of these. */
int wait_class(int64_t number);

#endif
