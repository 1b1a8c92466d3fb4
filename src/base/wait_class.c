/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wait_class.h"

#include <stddef.h>
#include <sys/syscall.h>

/* An architecture has only some of them: the newer ones have no poll and no select. */
static const struct {
    int number, class;
} s_classes[] = {
    {SYS_futex, WAIT_BY_ADDRESS},
#ifdef SYS_futex_waitv
    {SYS_futex_waitv, PYUSDT_CHARGE_LOCK},
#endif
#ifdef SYS_futex_wait
    {SYS_futex_wait, WAIT_BY_ADDRESS},
#endif
    {SYS_nanosleep, PYUSDT_CHARGE_SLEEP},
    {SYS_clock_nanosleep, PYUSDT_CHARGE_SLEEP},
#ifdef SYS_pause
    {SYS_pause, PYUSDT_CHARGE_SLEEP},
#endif
    {SYS_rt_sigtimedwait, PYUSDT_CHARGE_SLEEP},
    {SYS_rt_sigsuspend, PYUSDT_CHARGE_SLEEP},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, PYUSDT_CHARGE_POLL},
#endif
    {SYS_epoll_pwait, PYUSDT_CHARGE_POLL},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, PYUSDT_CHARGE_POLL},
#endif
#ifdef SYS_poll
    {SYS_poll, PYUSDT_CHARGE_POLL},
#endif
    {SYS_ppoll, PYUSDT_CHARGE_POLL},
#ifdef SYS_select
    {SYS_select, PYUSDT_CHARGE_POLL},
#endif
    {SYS_pselect6, PYUSDT_CHARGE_POLL},
    {SYS_read, WAIT_BY_DESCRIPTOR},
    {SYS_write, WAIT_BY_DESCRIPTOR},
    {SYS_readv, WAIT_BY_DESCRIPTOR},
    {SYS_writev, WAIT_BY_DESCRIPTOR},
    {SYS_pread64, WAIT_BY_DESCRIPTOR},
    {SYS_pwrite64, WAIT_BY_DESCRIPTOR},
    {SYS_preadv, WAIT_BY_DESCRIPTOR},
    {SYS_pwritev, WAIT_BY_DESCRIPTOR},
    {SYS_preadv2, WAIT_BY_DESCRIPTOR},
    {SYS_pwritev2, WAIT_BY_DESCRIPTOR},
    {SYS_sendfile, WAIT_BY_DESCRIPTOR},
    {SYS_splice, WAIT_BY_DESCRIPTOR},
    {SYS_copy_file_range, WAIT_BY_DESCRIPTOR},
    {SYS_recvfrom, PYUSDT_CHARGE_NET},
    {SYS_recvmsg, PYUSDT_CHARGE_NET},
    {SYS_recvmmsg, PYUSDT_CHARGE_NET},
    {SYS_sendto, PYUSDT_CHARGE_NET},
    {SYS_sendmsg, PYUSDT_CHARGE_NET},
    {SYS_sendmmsg, PYUSDT_CHARGE_NET},
    {SYS_accept, PYUSDT_CHARGE_NET},
    {SYS_accept4, PYUSDT_CHARGE_NET},
    {SYS_connect, PYUSDT_CHARGE_NET},
    {SYS_fsync, PYUSDT_CHARGE_DISK},
    {SYS_fdatasync, PYUSDT_CHARGE_DISK},
    {SYS_sync_file_range, PYUSDT_CHARGE_DISK},
    {SYS_sync, PYUSDT_CHARGE_DISK},
    {SYS_syncfs, PYUSDT_CHARGE_DISK},
    {SYS_msync, PYUSDT_CHARGE_DISK},
    {SYS_ftruncate, PYUSDT_CHARGE_DISK},
    {SYS_truncate, PYUSDT_CHARGE_DISK},
    {SYS_fallocate, PYUSDT_CHARGE_DISK},
    {SYS_fadvise64, PYUSDT_CHARGE_DISK},
    {SYS_flock, PYUSDT_CHARGE_LOCK},
    {SYS_getdents64, PYUSDT_CHARGE_DISK},
    {SYS_openat, PYUSDT_CHARGE_DISK},
    {SYS_close, PYUSDT_CHARGE_DISK},
    {SYS_statx, PYUSDT_CHARGE_DISK},
    {SYS_newfstatat, PYUSDT_CHARGE_DISK},
    {SYS_unlinkat, PYUSDT_CHARGE_DISK},
    {SYS_renameat2, PYUSDT_CHARGE_DISK},
    {SYS_mkdirat, PYUSDT_CHARGE_DISK},
#ifdef SYS_open
    {SYS_open, PYUSDT_CHARGE_DISK},
    {SYS_stat, PYUSDT_CHARGE_DISK},
    {SYS_lstat, PYUSDT_CHARGE_DISK},
    {SYS_unlink, PYUSDT_CHARGE_DISK},
    {SYS_rename, PYUSDT_CHARGE_DISK},
    {SYS_mkdir, PYUSDT_CHARGE_DISK},
    {SYS_rmdir, PYUSDT_CHARGE_DISK},
#endif
    {SYS_wait4, PYUSDT_CHARGE_CHILD},
    {SYS_waitid, PYUSDT_CHARGE_CHILD},
#ifdef SYS_vfork
    {SYS_vfork, PYUSDT_CHARGE_CHILD},
#endif
};

int wait_class(int64_t number) {
    for (size_t i = 0; i < sizeof s_classes / sizeof *s_classes; i++)
        if (s_classes[i].number == number)
            return s_classes[i].class;
    return PYUSDT_CHARGE_OTHER;
}
