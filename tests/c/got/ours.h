/* SPDX-License-Identifier: Apache-2.0
 *
 * The library that replaces give() and take(), as ours does in a program.
 */
#ifndef OURS_H
#define OURS_H

#include "base/got.h"

/* How the replacements are known: by what they add. */
enum { REPLACED = 1000 };

/* For give(), take(), and a function that the library does not call. */
extern struct got ours_got;

/* What its own calls give. */
int ours_give(void);
int ours_take(void);

#endif
