# SPDX-License-Identifier: Apache-2.0
"""A program with many calling contexts: contexts.py LEVELS [wait | serve SECONDS]

Each function of a level calls the four of the next, three times from the top, so that there are
about 4 ** (LEVELS + 1) contexts. It prints a line when they are there. `serve` then answers
requests of another thread, and prints the seconds of a request: the mean, and that of the 99th
percentile.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable

WORK = 2000  # calls a request


def made(name: str, below: list[Callable[[], None]]) -> Callable[[], None]:
    space: dict[str, Callable[[], None]] = {f"below{i}": call for i, call in enumerate(below)}
    body = "; ".join(f"{call}()" for call in space) or "pass"
    exec(compile(f"def {name}():\n    {body}", "made.py", "exec"), space)
    return space[name]


def contexts(levels: int) -> None:
    below: list[Callable[[], None]] = []
    for level in range(levels, 0, -1):
        below = [made(f"f{level}_{i}", below) for i in range(4)]
    for i in range(3):
        made(f"top{i}", below)()


def step(i: int) -> int:
    return i * i % 7


def answer(requests: socket.socket) -> None:
    while byte := requests.recv(1):
        for i in range(WORK):
            step(i)
        requests.send(byte)


def serve(seconds: float) -> None:
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=answer, args=(theirs,))
    thread.start()
    times = []
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        ours.send(b"?")
        ours.recv(1)
        times.append(time.perf_counter() - begin)
    ours.close()
    thread.join()
    times.sort()
    print(sum(times) / len(times), times[len(times) * 99 // 100], flush=True)


contexts(int(sys.argv[1]))
print("made", flush=True)
if sys.argv[2:3] == ["wait"]:
    time.sleep(3600)
elif sys.argv[2:3] == ["serve"]:
    serve(float(sys.argv[3]))
