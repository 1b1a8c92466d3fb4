/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc_thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How many descriptors are kept open: those of the other threads are opened for each reading. */
enum { KEPT_MAX = 256 * PROC_THREAD_FILES };

/* Of those that a process may have, so many are left. */
enum { SPARE = 32 };

#define CLOSE_RANGE_OWN_TABLE 2u /* CLOSE_RANGE_UNSHARE, Linux 5.9 */

static const char *const s_names[PROC_THREAD_FILES] = {"syscall", "schedstat", "stat", "status"};

/* By the kernel's own names: what stands in for open() and close() in some programs, a sanitizer or
 * a preloaded library, knows of one table only. */

static int open_at(int root, const char *path, int flags) {
    return (int)syscall(SYS_openat, root, path, flags | O_CLOEXEC, 0);
}

static ssize_t read_at_start(int file, char *text, size_t size) {
    return syscall(SYS_pread64, file, text, size, (off_t)0);
}

static void close_file(int file) {
    syscall(SYS_close, file);
}

void proc_files_begin(struct proc_files *files) {
    struct rlimit limit;

    *files = (struct proc_files){.root = -1, .most = KEPT_MAX};
#ifdef SYS_close_range
    files->keep = syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_OWN_TABLE) == 0;
#endif
    if (files->keep)
        files->root = open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);
    if (files->root < 0)
        files->keep = false;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < KEPT_MAX + SPARE)
        files->most = limit.rlim_cur > SPARE ? (int)limit.rlim_cur - SPARE : 0;
}

void proc_files_end(struct proc_files *files) {
    if (files->keep)
        close_file(files->root);
    files->keep = false;
}

void proc_thread_close(struct proc_thread *thread, struct proc_files *files) {
    for (int i = 0; i < PROC_THREAD_FILES; i++) {
        if (!thread->kept[i])
            continue;
        close_file(thread->kept[i] - 1);
        thread->kept[i] = 0;
        files->n_kept--;
    }
}

/* A path below /proc, and where it begins. */
struct place {
    int root;
    char path[64];
};

static struct place place_of(const struct proc_files *files, pid_t tid, const char *name) {
    struct place place = {.root = files->keep ? files->root : AT_FDCWD};

    snprintf(place.path, sizeof place.path, "%sself/task/%d/%s", files->keep ? "" : "/proc/",
             (int)tid, name);
    return place;
}

/* The beginning of a file, NUL-terminated; false: it cannot be read. */
static bool read_file(struct proc_files *files, struct proc_thread *thread, pid_t tid, int which,
                      char *text, size_t size) {
    bool keep = files->keep && (thread->kept[which] || files->n_kept < files->most);
    int file = thread->kept[which] - 1;
    ssize_t n;

    if (file < 0) {
        struct place place = place_of(files, tid, s_names[which]);

        file = open_at(place.root, place.path, O_RDONLY);
    }
    if (file < 0)
        return false;
    n = read_at_start(file, text, size - 1);
    if (!keep) {
        close_file(file);
    } else if (!thread->kept[which]) {
        thread->kept[which] = file + 1;
        files->n_kept++;
    }
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The kernel's name of a thread's CPU clock, as pthread_getcpuclockid() makes it. */
static clockid_t clock_of(pid_t tid) {
    return (clockid_t)((~(unsigned)tid << 3) | 6u);
}

bool proc_thread_cpu(pid_t tid, uint64_t *ns) {
    struct timespec now;

    if (clock_gettime(clock_of(tid), &now) < 0)
        return false;
    *ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return true;
}

/* "running", "NUMBER 0xARGUMENT ...", or "-1 0xSP 0xPC". */
void proc_thread_call(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                      struct proc_call *call) {
    char text[192], *end;

    *call = (struct proc_call){.state = PROC_UNKNOWN};
    if (!read_file(files, thread, tid, PROC_SYSCALL, text, sizeof text))
        return;
    call->state = PROC_RUNNABLE;
    if (text[0] == 'r')
        return;
    call->state = PROC_IN_CALL;
    call->number = strtoll(text, &end, 10);
    call->argument = strtoull(end, NULL, 16);
}

/* "RAN WAITED TIMES", in ns. */
bool proc_thread_delay(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                       uint64_t *ns) {
    char text[96], *end;

    if (!read_file(files, thread, tid, PROC_SCHEDSTAT, text, sizeof text))
        return false;
    strtoull(text, &end, 10);
    *ns = strtoull(end, NULL, 10);
    return true;
}

/* "TID (NAME) LETTER ...": the name may have anything in it, also parentheses. Field 15 is the
 * system time, in ticks. */
bool proc_thread_stat(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                      struct proc_stat *stat) {
    char text[512], *at;
    int field = 3;

    if (!read_file(files, thread, tid, PROC_STAT, text, sizeof text))
        return false;
    at = strrchr(text, ')');
    if (!at || at[1] != ' ' || !at[2])
        return false;
    at += 2;
    stat->letter = *at;
    for (; field < 15 && at; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return false;
    stat->system_ns = strtoull(at, NULL, 10) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
    return true;
}

bool proc_thread_switches(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                          uint64_t *n) {
    static const char label[] = "\nvoluntary_ctxt_switches:";
    char text[4096];
    const char *at;

    if (!read_file(files, thread, tid, PROC_STATUS, text, sizeof text))
        return false;
    at = strstr(text, label);
    if (at)
        *n = strtoull(at + sizeof label - 1, NULL, 10);
    return at;
}

/* The letter D is for what cannot be interrupted, so for a disk: such a file is not looked up,
 * because that might wait for the same. */
bool proc_thread_is_stream(struct proc_files *files, pid_t tid, uint64_t descriptor, char letter) {
    char name[32], target[16];
    struct place place;
    struct statx status;
    ssize_t n;

    if (letter == 'D')
        return false;
    snprintf(name, sizeof name, "fd/%u", (unsigned)descriptor);
    place = place_of(files, tid, name);
    n = readlinkat(place.root, place.path, target, sizeof target);
    if (n <= 0 || target[0] != '/')
        return true; /* "socket:[17]", "pipe:[18]" ... or closed by now */
    if (statx(place.root, place.path, AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0)
        return false;
    return S_ISFIFO(status.stx_mode) || S_ISCHR(status.stx_mode) || S_ISSOCK(status.stx_mode);
}
