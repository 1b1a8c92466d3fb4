# SPDX-License-Identifier: Apache-2.0
"""Starts Pythons in a way that its first argument names; each of them calls work() a few times."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

CHILD = """
import sys
def work(): pass
for _ in range(int(sys.argv[1])): work()
"""


def work(n: int) -> int:
    return sum(range(n))


def run(*options: str, times: int = 5, **variables: str) -> None:
    command = [sys.executable, *options, "-c", CHILD, str(times)]
    subprocess.run(command, env={**os.environ, **variables}, check=True)


def command() -> None:
    for _ in range(3):
        run()


def options() -> None:
    for option in ("-I", "-E", "-s", "-P"):
        run(option)


def switched_off() -> None:
    run(PYUSDT="0")
    run(PYUSDT="")


def script() -> None:
    text = "import sys, subprocess\n" + CHILD
    text += "if len(sys.argv) < 3: subprocess.run([sys.executable, __file__, '7', 'end'])\n"
    with open("child.py", "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run([sys.executable, "child.py", "5"], check=True)
    subprocess.run([sys.executable, "-m", "child", "3", "end"], check=True)
    subprocess.run([sys.executable, "-", "2", "end"], input=text.encode(), check=True)


def many() -> None:
    for _ in range(20):
        children = [subprocess.Popen([sys.executable, "-c", CHILD, str(i)]) for i in range(10)]
        assert [child.wait() for child in children] == [0] * 10


def killed() -> None:
    code = CHILD + "print(flush=True)\nsys.stdin.read()"
    words = [sys.executable, "-c", code, "4"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    run(times=6)


def executor() -> None:
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        assert len(list(pool.map(work, [1000] * 20))) == 20


def loky() -> None:
    from joblib import Parallel, delayed

    assert len(Parallel(n_jobs=2, backend="loky")(delayed(work)(1000) for _ in range(40))) == 40


def execute() -> None:
    """Become another Python."""
    os.execv(sys.executable, [sys.executable, "-c", CHILD, "9"])


if __name__ == "__main__":
    globals()[sys.argv[1]]()
