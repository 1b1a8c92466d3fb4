/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight bytes a step: s_table[k][b] is what byte b contributes when k bytes follow it in the step.
 */
#include "base/crc32.h"

#include <pthread.h>
#include <string.h>

enum { STEP = 8 };

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static uint32_t s_table[STEP][256]; /* written once */

static void make_table(void) {
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        s_table[0][b] = crc;
    }
    for (int k = 1; k < STEP; k++)
        for (int b = 0; b < 256; b++)
            s_table[k][b] = s_table[k - 1][b] >> 8 ^ s_table[0][s_table[k - 1][b] & 0xff];
}

uint32_t crc32_of(uint32_t crc, const void *data, size_t size) {
    const unsigned char *at = data;

    pthread_once(&s_once, make_table);
    crc = ~crc;
    for (; size >= STEP; size -= STEP, at += STEP) {
        uint32_t low, high;

        memcpy(&low, at, sizeof low);
        memcpy(&high, at + sizeof low, sizeof high);
        low ^= crc;
        crc = s_table[7][low & 0xff] ^ s_table[6][low >> 8 & 0xff] ^ s_table[5][low >> 16 & 0xff] ^
              s_table[4][low >> 24] ^ s_table[3][high & 0xff] ^ s_table[2][high >> 8 & 0xff] ^
              s_table[1][high >> 16 & 0xff] ^ s_table[0][high >> 24];
    }
    for (; size > 0; size--, at++)
        crc = crc >> 8 ^ s_table[0][(crc ^ *at) & 0xff];
    return ~crc;
}
