# SPDX-License-Identifier: Apache-2.0
import os
import signal


def blocked(task):
    with open(f"/proc/self/task/{task}/status") as status:
        mask = next(line for line in status if line.startswith("SigBlk"))
    return int(mask.split()[1], 16)


(task,) = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
kernel_keeps = {signal.SIGKILL, signal.SIGSTOP}
for number in signal.valid_signals() - kernel_keeps:
    assert blocked(task) >> (number - 1) & 1, number
assert blocked(os.getpid()) == 0
print("ok")
