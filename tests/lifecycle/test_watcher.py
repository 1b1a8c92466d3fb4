# SPDX-License-Identifier: Apache-2.0
"""The watcher thread: one, by its name, deaf to signals, gone when stopped."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.asan  # not tsan, whose runtime brings a thread of its own


def check(run, source: str, mode: str = "idle") -> None:
    assert run(f"import os, signal, semaphores\n{source}print('ok')\n", mode) == ("ok\n", "", 0)


def test_one_thread_by_its_name(run):
    check(run, "assert sorted(semaphores.thread_names())[-1] == 'pyusdt'\n")
    check(run, "assert semaphores.watchers() == len(semaphores.thread_names()) - 1 == 1\n")


def test_it_is_started_and_stopped_once(run):
    check(
        run,
        """
from pyusdt.libpyusdt import start, stop
for _ in range(100):
    start(); start()
    assert semaphores.watchers() == 1
    stop(); stop()
    assert semaphores.thread_names() == ["python"], semaphores.thread_names()
start()
""",
    )


def test_it_takes_no_signal_of_the_program(run):
    check(
        run,
        """
def blocked(task):
    with open(f"/proc/self/task/{task}/status") as status:
        mask = next(line for line in status if line.startswith("SigBlk"))
    return int(mask.split()[1], 16)

(task,) = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
kernel_keeps = {signal.SIGKILL, signal.SIGSTOP}
for number in signal.valid_signals() - kernel_keeps:
    assert blocked(task) >> (number - 1) & 1, number
assert blocked(os.getpid()) == 0
""",
    )


def test_the_program_keeps_its_own_mask(run):
    check(
        run,
        """
from pyusdt.libpyusdt import start, stop
stop()
mine = {signal.SIGUSR1, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, mine)
start()
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mine
""",
    )


def test_a_signal_handler_runs_while_events_come_and_go(run):
    check(
        run,
        """
got = []
signal.signal(signal.SIGUSR1, lambda *args: got.append(len(got)))
for i in range(200):
    (semaphores.up if i % 2 else semaphores.down)("LINE", "PY_START", "CALL")
    os.kill(os.getpid(), signal.SIGUSR1)
    while len(got) <= i: pass
semaphores.down("LINE", "PY_START", "CALL")
semaphores.wait_for()
""",
    )
