/* SPDX-License-Identifier: Apache-2.0
 *
 * What the others call: the allocator of this test. Built with VALUE=100 it is another one, whose
 * functions have the same names.
 */
#ifndef VALUE
#define VALUE 1
#endif

int give(void) {
    return VALUE;
}

int take(void) {
    return 2 * VALUE;
}
