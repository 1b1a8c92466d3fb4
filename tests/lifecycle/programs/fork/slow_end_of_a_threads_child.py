# SPDX-License-Identifier: Apache-2.0
"""The child's only thread ends, for Python, long before it does for the system."""

import ctypes
import os
import sys
import threading

LIBC = ctypes.CDLL(None)
USLEEP = ctypes.cast(LIBC.usleep, ctypes.c_void_p)
USEC = ctypes.c_void_p(300_000)


def end_slowly():
    """What C++ does for a thread_local: usleep(USEC) as the thread ends, before its keys' ends."""
    LIBC.__cxa_thread_atexit_impl(USLEEP, USEC, USLEEP)


def work():
    child = os.fork()
    if not child:
        end_slowly()
        sys.exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


thread = threading.Thread(target=work)
thread.start()
thread.join()
