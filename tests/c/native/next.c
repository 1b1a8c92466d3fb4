/* SPDX-License-Identifier: Apache-2.0
 *
 * What only the library that needs this one can find.
 */
int later_and_last(void) {
    return 1;
}
