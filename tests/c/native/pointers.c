/* SPDX-License-Identifier: Apache-2.0
 *
 * A library that has copied the address of a function, as many do into structures of their own.
 */
#include <stdlib.h>

void *(*copy_of_malloc)(size_t size);
static void *(*volatile s_malloc)(size_t size) = malloc;

/* Called by the program once it has found it. */
void copy(void) {
    copy_of_malloc = s_malloc;
}
