/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel says about other threads of this process, in /proc/self/task and by their CPU
 * clocks: whether they run, in which system call they wait, how long they ran and waited for a CPU.
 *
 * Descriptors. A program may close all that it does not know, and a child inherits what is open. So
 * a thread that keeps files open first gets a table of descriptors of its own
 * (proc_files_begin()); where the kernel has none to give, each file is opened and closed for each
 * reading.
 *
 * No Python.h, no GIL. Nothing here blocks. A struct proc_files, and what was opened with it, is
 * used by one thread.
 */
#ifndef PYUSDT_BASE_PROC_THREAD_H
#define PYUSDT_BASE_PROC_THREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where files are opened. Zeros: from "/proc", and none is kept. */
struct proc_files {
    bool keep;        /* the thread has its own table */
    int root;         /* "/proc", valid while `keep`: works after a chroot() too */
    int n_kept, most; /* descriptors that are open, and how many may be */
};

/* The calling thread gets a table of its own, without what the program has open, if it can. */
void proc_files_begin(struct proc_files *files);
/* Closes what begin opened. */
void proc_files_end(struct proc_files *files);

enum { PROC_SYSCALL, PROC_SCHEDSTAT, PROC_STAT, PROC_STATUS, PROC_THREAD_FILES };

/* A thread's files. Zeros: none is open. */
struct proc_thread {
    int kept[PROC_THREAD_FILES]; /* descriptor + 1, or 0 */
};
void proc_thread_close(struct proc_thread *thread, struct proc_files *files);

/* The CPU clock of a thread, in ns; false: there is no such thread. */
bool proc_thread_cpu(pid_t tid, uint64_t *ns);

/* What a thread does. */
enum proc_state {
    PROC_UNKNOWN,  /* not to be read: no such thread, no /proc, no permission */
    PROC_RUNNABLE, /* it runs, or waits for a CPU */
    PROC_IN_CALL,  /* it waits in a system call */
};
struct proc_call {
    enum proc_state state;
    int64_t number;    /* of the system call; -1: it waits outside of one, as for a page */
    uint64_t argument; /* the first */
};
void proc_thread_call(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                      struct proc_call *call);

/* How long it was ready without a CPU, up to the last time that it got one. */
bool proc_thread_delay(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                       uint64_t *ns);

/* Its state's letter (R, S, D ...) and its CPU time in the kernel, as coarse as the kernel's
 * statistics are. */
struct proc_stat {
    char letter;
    uint64_t system_ns;
};
bool proc_thread_stat(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                      struct proc_stat *stat);

/* How often it has given up its CPU by itself, to wait. */
bool proc_thread_switches(struct proc_files *files, struct proc_thread *thread, pid_t tid,
                          uint64_t *n);

/* Whether a descriptor of that thread is a socket, a pipe, a terminal or the like, for which the
 * thread waits with this letter. A file system that hangs is not asked. */
bool proc_thread_is_stream(struct proc_files *files, pid_t tid, uint64_t descriptor, char letter);

#endif
