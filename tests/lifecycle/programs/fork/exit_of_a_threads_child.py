# SPDX-License-Identifier: Apache-2.0
import atexit
import os
import sys
import threading

atexit.register(lambda: print("exit handler", flush=True))


def work():
    child = os.fork()
    if not child:
        sys.exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


thread = threading.Thread(target=work)
thread.start()
thread.join()
