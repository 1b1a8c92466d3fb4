# SPDX-License-Identifier: Apache-2.0
import functools
import os
import signal

import semaphores


def forkpty():
    child, terminal = os.forkpty()
    if child:
        os.close(terminal)
    return child


def hook():
    return [len(str(i)) for i in range(20)]


FORKS = {
    "os.fork": os.fork,
    "through a wrapper": lambda: functools.partial(map, lambda f: f())([os.fork]).__next__(),
    "os.forkpty": forkpty,
}

if os.environ["HOOKS"] == "hooks after ours":
    import logging

    os.register_at_fork(before=hook, after_in_parent=hook, after_in_child=hook)
for _ in range(30):
    child = FORKS[os.environ["FORK"]]()
    if not child:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
assert semaphores.watchers() == 1
print("forked")
