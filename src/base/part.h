/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of a part (pyusdt_part.h): written anew beside its place and renamed to it, or appended
 * to. Whoever dies in the middle leaves the frames that were there before.
 *
 * The directory was made for the run, with mode 0700. Others may own the directory above it, and
 * put another in its place at any time: each writing opens it anew, follows no link, and checks
 * that it is the same one. No descriptor stays open that the program could close or inherit.
 *
 * No Python.h, no GIL; reads no clock but the wall's. One thread at a time for each part. Waits for
 * nothing but the file system.
 */
#ifndef PYUSDT_BASE_PART_H
#define PYUSDT_BASE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a part is. `directory` is borrowed, absolute. */
struct part_place {
    const char *directory;
    dev_t device; /* of the directory, when it was made */
    ino_t inode;
    char name[48]; /* in it; renamed from name.new */
};

struct part_piece {
    const void *data; /* borrowed */
    size_t size;
};

/* A writing under way. Begun by part_begin(), ended by part_end(), whatever fails in between. */
struct part_writing {
    const struct part_place *place;
    int directory, file; /* descriptors, or -1 */
    bool append;
    off_t before; /* size of the file before */
    off_t size;   /* and now */
    int error;    /* the first errno, or 0 */
};

/* Begin to write the part anew or, where `append`, behind what it has, which is `size` bytes. */
void part_begin(struct part_writing *w, const struct part_place *place, bool append, off_t size);

/* Write a frame that has these pieces, in order. */
void part_frame(struct part_writing *w, uint32_t kind, const struct part_piece *pieces, size_t n);

/* All or nothing: rename the new file to its place, or cut off what was appended if something
 * failed. Returns 0 or the errno of what failed. */
int part_end(struct part_writing *w);

/* Nanoseconds since 1970. */
int64_t part_now_ns(void);

/* Fill with random hexadecimal digits, without NUL. */
void part_make_token(char token[32]);

#endif
