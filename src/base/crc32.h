/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32 as zlib and binascii.crc32() compute it (ITU-T V.42): polynomial 0xEDB88320, reflected.
 *
 * No Python.h, no GIL. Any thread.
 */
#ifndef PYUSDT_BASE_CRC32_H
#define PYUSDT_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` is the checksum of, and then `data`. 0 begins. */
uint32_t crc32_of(uint32_t crc, const void *data, size_t size);

#endif
