/* SPDX-License-Identifier: Apache-2.0
 *
 * Saves: recordings that go to a file. Each writes a part (pyusdt_part.h) of its own: whole at the
 * end, and before that, every now and then, what has changed. No Python code has a share in it, so
 * a program's patches of os, time or open do not reach it, and it works where no Python can run.
 *
 * Fork. The child's saves begin anew: it has a token, and parts, of its own.
 */
#ifndef PYUSDT_CONTROL_SAVE_H
#define PYUSDT_CONTROL_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SAVES_MAX = 64 };

/* While there are saves, save_tick() must be called at least this often. */
enum { SAVE_TICK_MSEC = 100 };

struct save_options {
    uint32_t ordinal;      /* of the recorder in its process: its part is replaced */
    const char *directory; /* absolute; made with mode 0700 */
    dev_t device;          /* of it, then */
    ino_t inode;
    const char *about;  /* JSON, see pyusdt/recording/parts.py */
    const char *base;   /* counts of earlier times of the same recording; may be empty */
    const char *before; /* counts that do not belong to it; may be empty */
    size_t base_size, before_size;
    uint64_t flush_ns; /* 0: only at the end */
};

/* Begin a save, and its part. Copies everything. Returns its number, or -1 and sets errno: EMFILE
 * where there are SAVES_MAX already. GIL held; released meanwhile. */
int save_begin(const struct save_options *options);

/* Write a save whole and forget it; `why` it has ended may be any text, or NULL: nothing is
 * written. `counts` (unless NULL) gets what was counted, as snapshot_take() returns it, or NULL. 0,
 * or the errno of what could not be written. GIL held; released meanwhile. */
int save_end(int number, const char *why, char **counts, size_t *size);

/* Write all of them whole, and `why`; they go on. 0, or the first errno. GIL held; released
 * meanwhile. */
int save_all(const char *why);

/* For who ends the process: the same under the lock and the GIL or, `blind`, without the GIL (see
 * save_lock.h). Nothing is flushed after it. */
int save_all_locked(const char *why, bool blind);

/* True while there are any. Any thread. */
bool save_is_on(void);

/* Write what is due. The watcher; no GIL. */
void save_tick(void);

/* Whether a flush that is under way is to give up. Any thread. */
void save_hurry(bool hurry);

/* In the child of a fork. GIL held. */
void save_postfork_child(void);

#endif
