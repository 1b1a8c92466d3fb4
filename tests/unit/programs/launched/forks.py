# SPDX-License-Identifier: Apache-2.0
import os
import sys

print("before", flush=True)
pid = os.fork()
if not pid:
    print("child", flush=True)
    sys.exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
