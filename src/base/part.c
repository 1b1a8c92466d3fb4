/* SPDX-License-Identifier: Apache-2.0 */
#include "base/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32.h"
#include "pyusdt_part.h"

enum { NEW_NAME = sizeof(((struct part_place *)0)->name) + 8 };

int64_t part_now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Where the kernel has no random bytes yet, the time and the process must do. */
void part_make_token(char token[32]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];

    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes) {
        int64_t now = part_now_ns(), process = getpid();

        memcpy(bytes, &now, sizeof now);
        memcpy(bytes + sizeof now, &process, sizeof process);
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        token[2 * i] = digits[bytes[i] >> 4];
        token[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static void fail(struct part_writing *w) {
    if (!w->error)
        w->error = errno ? errno : EIO;
}

static void new_name(const struct part_place *place, char name[NEW_NAME]) {
    snprintf(name, NEW_NAME, "%s.new", place->name);
}

static int open_directory(const struct part_place *place) {
    int fd = open(place->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat it;

    if (fd < 0)
        return fd;
    if (fstat(fd, &it) == 0 && it.st_dev == place->device && it.st_ino == place->inode)
        return fd;
    close(fd);
    errno = ESTALE;
    return -1;
}

static int open_file(const struct part_writing *w) {
    int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    char name[NEW_NAME];
    int fd;

    if (w->append)
        return openat(w->directory, w->place->name, flags | O_APPEND);
    new_name(w->place, name);
    unlinkat(w->directory, name, 0); /* left by a writing that was cut off */
    fd = openat(w->directory, name, flags | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        fchmod(fd, 0600); /* whatever the umask is; where that fails, it is less */
    return fd;
}

void part_begin(struct part_writing *w, const struct part_place *place, bool append, off_t size) {
    *w = (struct part_writing){.place = place, .append = append, .before = append ? size : 0};
    struct stat it;

    w->size = w->before;
    w->file = -1;
    errno = 0;
    w->directory = open_directory(place);
    if (w->directory >= 0)
        w->file = open_file(w);
    if (w->file < 0) {
        fail(w);
    } else if (append && (fstat(w->file, &it) < 0 || it.st_size != size)) {
        errno = ESTALE; /* somebody else has written to it */
        fail(w);
    }
}

static void put(struct part_writing *w, const void *data, size_t size) {
    const char *at = data;

    while (size > 0 && !w->error) {
        ssize_t written = write(w->file, at, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            fail(w);
            return;
        }
        at += written;
        size -= (size_t)written;
        w->size += written;
    }
}

void part_frame(struct part_writing *w, uint32_t kind, const struct part_piece *pieces, size_t n) {
    struct pyusdt_part_frame frame = {
        .magic = PYUSDT_PART_MAGIC, .kind = kind, .moment_ns = part_now_ns()};

    if (w->error)
        return;
    for (size_t i = 0; i < n; i++) {
        frame.size += pieces[i].size;
        frame.payload_crc = crc32_of(frame.payload_crc, pieces[i].data, pieces[i].size);
    }
    frame.frame_crc = crc32_of(0, &frame, offsetof(struct pyusdt_part_frame, frame_crc));
    put(w, &frame, sizeof frame);
    for (size_t i = 0; i < n; i++)
        put(w, pieces[i].data, pieces[i].size);
}

static void settle(struct part_writing *w) {
    char name[NEW_NAME];

    if (w->append) {
        if (w->error && ftruncate(w->file, w->before) == 0)
            w->size = w->before;
        return;
    }
    new_name(w->place, name);
    errno = 0;
    if (!w->error && renameat(w->directory, name, w->directory, w->place->name) < 0)
        fail(w);
    if (w->error)
        unlinkat(w->directory, name, 0);
}

int part_end(struct part_writing *w) {
    if (w->file >= 0) {
        settle(w);
        close(w->file);
    }
    if (w->directory >= 0)
        close(w->directory);
    return w->error;
}
