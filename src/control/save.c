/* SPDX-License-Identifier: Apache-2.0 */
#include "control/save.h"

#include <Python.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/part.h"
#include "capture/thread.h"
#include "control/audit.h"
#include "control/rate.h"
#include "control/save_lock.h"
#include "control/shadow.h"
#include "control/snapshot.h"
#include "python/gil.h"
#include "pyusdt_part.h"

/* A part to which changes are appended is written anew when it has grown to so many times the size
 * that it had whole, and by so many bytes. */
enum { GROWTH = 4, GROWTH_BYTES = 4 << 20 };

/* Between the writing before an exec and the exec, the program may still do something, or be slow.
 * A flush in that time would take the end back, with no later one to follow. So the next flush
 * waits for so long, and only where the exec has failed will there be one. */
#define EXEC_NS UINT64_C(5000000000)

struct save {
    struct part_place place;     /* its directory is owned */
    char *about, *base, *before; /* owned; the last two may be empty */
    size_t base_size, before_size;
    uint32_t ordinal;
    uint64_t flush_ns, due_ns; /* 0: never */
    struct pyusdt_part_process process;

    /* What the file has. */
    struct shadow *shadow;  /* owned; NULL: the next flush is whole */
    off_t size, whole_size; /* 0: there is no file yet */
};

/* Written under the lock of the saves and the GIL, but for what the file has: under the lock. */
static struct save *s_saves[SAVES_MAX];
static char s_token[PYUSDT_PART_TOKEN], s_parent[PYUSDT_PART_TOKEN]; /* of the process */

static _Atomic int s_n;
static atomic_bool s_hurry;

bool save_is_on(void) {
    return s_n > 0;
}

void save_hurry(bool hurry) {
    s_hurry = hurry;
}

/* The next flush is whole. The file stays what it is until then. */
static void forget_shadow(struct save *save) {
    shadow_free(save->shadow);
    save->shadow = NULL;
}

static void save_free(struct save *save) {
    if (!save)
        return;
    forget_shadow(save);
    free((char *)save->place.directory);
    free(save->about);
    free(save->base);
    free(save->before);
    free(save);
}

/* A process of its own, which begins now. */
static void begin_process(struct save *save) {
    if (!s_token[0])
        part_make_token(s_token);
    memcpy(save->process.token, s_token, sizeof s_token);
    memcpy(save->process.parent, s_parent, sizeof s_parent);
    save->process.pid = (uint32_t)getpid();
    save->process.parent_pid = (uint32_t)getppid();
    save->process.started_ns = part_now_ns();
    save->process.started_monotonic_ns = clock_monotonic_ns();
    snprintf(save->place.name, sizeof save->place.name, "%.*s-%u.part", PYUSDT_PART_TOKEN, s_token,
             save->ordinal);
}

static char *copy(const char *bytes, size_t size) {
    char *to = malloc(size + 1);

    if (to) {
        memcpy(to, bytes, size);
        to[size] = '\0';
    }
    return to;
}

static struct save *save_new(const struct save_options *options) {
    struct save *save = calloc(1, sizeof *save);

    if (!save)
        return NULL;
    save->place.directory = copy(options->directory, strlen(options->directory));
    save->place.device = options->device;
    save->place.inode = options->inode;
    save->about = copy(options->about, strlen(options->about));
    save->base = copy(options->base, options->base_size);
    save->base_size = options->base_size;
    save->ordinal = options->ordinal;
    save->flush_ns = options->flush_ns;
    save->before = copy(options->before, options->before_size);
    save->before_size = options->before_size;
    if (save->place.directory && save->about && save->base && save->before)
        return save;
    save_free(save);
    return NULL;
}

static void put_text(struct part_writing *w, uint32_t kind, const char *text) {
    struct part_piece piece = {text, strlen(text)};

    part_frame(w, kind, &piece, 1);
}

static void put_started(struct part_writing *w) {
    struct part_piece pieces[2 * AUDIT_NAMES];
    uint64_t counts[AUDIT_NAMES];
    int n = audit_pieces(pieces, counts);

    if (n)
        part_frame(w, PYUSDT_PART_STARTED, pieces, n);
}

static void put_beginning(struct part_writing *w, const struct save *save) {
    struct part_piece process[] = {{&save->process, sizeof save->process},
                                   {save->about, strlen(save->about)}};
    struct part_piece base = {save->base, save->base_size};
    struct part_piece before = {save->before, save->before_size};

    part_frame(w, PYUSDT_PART_PROCESS, process, 2);
    if (save->base_size)
        part_frame(w, PYUSDT_PART_BASE, &base, 1);
    if (save->before_size)
        part_frame(w, PYUSDT_PART_BEFORE, &before, 1);
}

/* Write the part anew, with a whole snapshot (NULL: none), or append changes. Under the lock. */
static int put_snapshot(struct save *save, struct snapshot *s, bool changes, const char *why) {
    struct part_piece pieces[SNAPSHOT_PIECES];
    struct part_writing w;
    int error;

    part_begin(&w, &save->place, changes, save->size);
    if (!changes)
        put_beginning(&w, save);
    if (s) {
        snapshot_pieces(s, pieces);
        part_frame(&w, changes ? PYUSDT_PART_CHANGES : PYUSDT_PART_COUNTS, pieces, SNAPSHOT_PIECES);
        put_started(&w);
    }
    if (why)
        put_text(&w, PYUSDT_PART_END, why);
    error = part_end(&w);
    if (error) {
        forget_shadow(save);
        return error;
    }
    save->size = w.size;
    if (!changes)
        save->whole_size = w.size;
    return 0;
}

int save_begin(const struct save_options *options) {
    struct save *save;
    int number = 0, error = 0;

    save_lock_with_gil();
    rate_refine(); /* what is written blind needs a rate */
    while (number < SAVES_MAX && s_saves[number])
        number++;
    save = number < SAVES_MAX ? save_new(options) : NULL;
    if (!save) {
        error = number < SAVES_MAX ? ENOMEM : EMFILE;
        goto out;
    }
    begin_process(save);
    if (save->flush_ns)
        save->due_ns = clock_monotonic_ns() + save->flush_ns;
    error = put_snapshot(save, NULL, false, NULL);
    if (error) {
        save_free(save);
        goto out;
    }
    s_saves[number] = save;
    s_n++;
out:
    save_unlock();
    errno = error;
    return error ? -1 : number;
}

static int write_whole(struct save *save, const char *why, char **counts, size_t *size) {
    struct snapshot *s = snapshot_begin(NULL);
    int error = ENOMEM;

    if (s && snapshot_walk(s, NULL)) {
        PyThreadState *state = PyEval_SaveThread();

        if (counts)
            *counts = snapshot_joined(s, size);
        error = put_snapshot(save, s, false, why);
        save_restore_gil(state);
    }
    snapshot_free(s);
    return error;
}

int save_end(int number, const char *why, char **counts, size_t *size) {
    struct save *save;
    int error = 0;

    save_lock_with_gil();
    save = number >= 0 && number < SAVES_MAX ? s_saves[number] : NULL;
    if (save) {
        if (why)
            error = write_whole(save, why, counts, size);
        s_saves[number] = NULL;
        s_n--;
        save_free(save);
    }
    save_unlock();
    return error;
}

/* What has been written stays the truth of what was on the stacks: changes are appended to it. */
static int write_blind(struct save *save, const char *why) {
    bool changes = save->shadow && save->size;
    struct snapshot *s;
    int error = ENOMEM;

    if (!save->shadow)
        save->shadow = shadow_new();
    s = save->shadow ? snapshot_begin_blind(save->shadow) : NULL;
    thread_lock_trees();
    if (s && snapshot_walk(s, NULL))
        error = put_snapshot(save, s, changes, why);
    thread_unlock_trees();
    snapshot_free(s);
    return error;
}

int save_all_locked(const char *why, bool blind) {
    int first = 0;

    for (int i = 0; i < SAVES_MAX; i++) {
        int error = 0;

        if (!s_saves[i])
            continue;
        error = blind ? write_blind(s_saves[i], why) : write_whole(s_saves[i], why, NULL, NULL);
        s_saves[i]->due_ns = 0; /* a flush behind the end would take it back */
        first = first ? first : error;
    }
    return first;
}

int save_all(const char *why) {
    int error;

    save_lock_with_gil();
    error = save_all_locked(why, false);
    for (int i = 0; i < SAVES_MAX; i++) {
        struct save *save = s_saves[i];

        if (save && save->flush_ns)
            save->due_ns = clock_monotonic_ns() + EXEC_NS + save->flush_ns;
    }
    save_unlock();
    return error;
}

/* Nothing can be reported here: the next writing, or the last, reports what is wrong. */
static void flush(struct save *save) {
    struct snapshot *s;
    bool changes;

    if (save->whole_size * GROWTH + GROWTH_BYTES < save->size)
        forget_shadow(save);
    changes = save->shadow && save->size;
    if (!save_take_gil())
        return;
    if (!save->shadow)
        save->shadow = shadow_new();
    s = save->shadow ? snapshot_begin(save->shadow) : NULL;
    thread_lock_trees(); /* before another thread can end the recording */
    gil_give();
    if (s && !snapshot_walk(s, &s_hurry)) {
        snapshot_free(s);
        s = NULL;
    }
    thread_unlock_trees();
    if (!s)
        forget_shadow(save);
    else
        put_snapshot(save, s, changes, NULL);
    snapshot_free(s);
}

void save_tick(void) {
    if (!s_n)
        return;
    save_lock();
    for (int i = 0; i < SAVES_MAX && !s_hurry; i++) {
        struct save *save = s_saves[i];

        if (save && !save->size)
            put_snapshot(save, NULL, false,
                         NULL); /* the child of a fork, or a disk that was full */
        if (save && save->due_ns && clock_monotonic_ns() >= save->due_ns) {
            flush(save);
            save->due_ns = clock_monotonic_ns() + save->flush_ns;
        }
    }
    save_unlock();
}

void save_postfork_child(void) {
    save_lock_postfork_child();
    memcpy(s_parent, s_token, sizeof s_parent);
    s_token[0] = '\0';
    for (int i = 0; i < SAVES_MAX; i++) {
        struct save *save = s_saves[i];

        if (!save)
            continue;
        forget_shadow(save);
        save->size = save->whole_size = 0;
        save->before_size = save->base_size = 0;
        begin_process(save);
        if (save->flush_ns)
            save->due_ns = clock_monotonic_ns() + save->flush_ns;
    }
}
