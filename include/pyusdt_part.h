/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of a part: what one process has recorded, in a file of its own, until all parts of a
 * run become one recording. A part is a sequence of frames in the machine's own byte order:
 *
 *     PROCESS [BASE] [BEFORE] (COUNTS | CHANGES | [STARTED] END)...
 *
 * A frame whose checksums are not right ends the part: the process was killed while it wrote. Each
 * COUNTS replaces what came before. CHANGES hold the rows that are new or have other values, and
 * the steps that are new. What a part stands for is BASE, and COUNTS minus BEFORE.
 */
#ifndef PYUSDT_PART_H
#define PYUSDT_PART_H

#include <stdint.h>

#define PYUSDT_PART_MAGIC 0x35705950u /* "PYp5" */

enum {
    PYUSDT_PART_PROCESS = 1, /* pyusdt_part_process, then JSON, see pyusdt/recording/parts.py */
    PYUSDT_PART_BASE,        /* counts: of earlier times of the same recording */
    PYUSDT_PART_BEFORE,      /* counts: what had been counted when the recording began */
    PYUSDT_PART_COUNTS,      /* counts: pyusdt_counts.h */
    PYUSDT_PART_CHANGES,     /* counts */
    PYUSDT_PART_END,         /* a text without NUL: why the recording ended */
    PYUSDT_PART_STARTED,     /* for each program that was started: a uint64_t, how often, and its
                                name, with NUL */
};

struct pyusdt_part_frame {
    uint32_t magic;
    uint32_t kind;
    uint64_t size;        /* of what follows */
    int64_t moment_ns;    /* since 1970 */
    uint32_t payload_crc; /* CRC-32 of what follows */
    uint32_t frame_crc;   /* CRC-32 of this struct up to here */
};

#define PYUSDT_PART_TOKEN 32 /* hexadecimal digits */

struct pyusdt_part_process {
    char token[PYUSDT_PART_TOKEN];  /* of the process */
    char parent[PYUSDT_PART_TOKEN]; /* of the one that forked it, or NULs */
    uint32_t pid, parent_pid;
    int64_t started_ns;            /* since 1970 */
    uint64_t started_monotonic_ns; /* the same on CLOCK_MONOTONIC */
};

#ifdef __cplusplus
#define PYUSDT_ASSERT static_assert
#else
#define PYUSDT_ASSERT _Static_assert
#endif
PYUSDT_ASSERT(sizeof(struct pyusdt_part_frame) == 32, "others read it");
PYUSDT_ASSERT(sizeof(struct pyusdt_part_process) == 88, "others read it");
#undef PYUSDT_ASSERT

#endif
