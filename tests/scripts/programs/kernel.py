# SPDX-License-Identifier: Apache-2.0
"""What each script that starts from kernel events is to find, as often as it is told.

Every command runs in a thread of its own: a thread tells its slot at its first event, so that a
tracer which is attached misses nothing of it.
"""

from __future__ import annotations

import mmap
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyusdt

SCRATCH = Path(tempfile.mkdtemp(prefix="pyusdt-"))


def asks(n: int) -> None:
    for _ in range(n):
        os.getppid()


def reads(n: int) -> None:
    (SCRATCH / "read").write_bytes(b"x" * (n * 1009))
    file = os.open(SCRATCH / "read", os.O_RDONLY)
    for _ in range(n):
        os.read(file, 1009)
    os.close(file)


def writes(n: int) -> None:
    file = os.open(SCRATCH / "written", os.O_WRONLY | os.O_CREAT)
    for _ in range(n):
        os.write(file, b"x" * 997)
    os.fsync(file)
    os.close(file)


def pipes(n: int) -> None:
    """Not a file: pyio is to leave it out."""
    end, start = os.pipe()
    for _ in range(n):
        os.write(start, b"x" * 997)
        os.read(end, 997)
    os.close(end)
    os.close(start)


def sleeps(n: int) -> None:
    time.sleep(n / 1000)


def tired(n: int) -> None:
    sleeps(n)


def spins(n: int) -> None:
    end = time.thread_time() + n / 1000
    while time.thread_time() < end:
        pass


def busy(n: int) -> None:
    spins(n)


def talks(n: int) -> None:
    one, other = socket.socketpair()
    for _ in range(n):
        one.sendall(b"x" * 101)
        other.recv(101, socket.MSG_WAITALL)
    one.close()
    other.close()


def talks_as_ssl_does(n: int) -> None:
    one, other = socket.socketpair()
    for _ in range(n):
        os.write(one.fileno(), b"x" * 103)
        os.read(other.fileno(), 103)
    one.close()
    other.close()


def meets(n: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(n):
            with socket.socket() as client:
                client.connect(server.getsockname())
                server.accept()[0].close()
    with socket.socket() as client:
        client.connect_ex(server_address_of_nobody())


def server_address_of_nobody() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address: tuple[str, int] = server.getsockname()
    return address


def opens(n: int) -> None:
    for i in range(n):
        Path(SCRATCH / f"opened-{i}").touch()
    try:
        os.open(SCRATCH / "missing", os.O_RDONLY)
    except FileNotFoundError:
        pass


def starts(n: int) -> None:
    for _ in range(n):
        subprocess.run(["true", "first", "second"], check=True)


def forks(n: int) -> None:
    for _ in range(n):
        if child := os.fork():
            os.waitpid(child, 0)
        else:
            os.execvp("true", ["true", "forked"])


def touches(n: int) -> None:
    with mmap.mmap(-1, n * mmap.PAGESIZE) as memory:
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        for i in range(n):
            memory[i * mmap.PAGESIZE] = 1


def hooked(_: int) -> None:
    """Wait until native memory has hooks."""

    def fired() -> int:
        return pyusdt.status()["probes_fired"].get("mem__large", 0)

    before = fired()
    while fired() == before:
        mmap.mmap(-1, 1 << 24).close()


def hogs() -> None:
    sum(range(1_000_000))


def hogging(n: int) -> None:
    """Keep the GIL in C, where nobody is asked for it, while another wants it again and again."""
    done = threading.Event()
    waiter = threading.Thread(target=polite, args=(done,))
    waiter.start()
    for _ in range(n):
        hogs()
        time.sleep(0.002)
    done.set()
    waiter.join()


def polite(done: threading.Event) -> None:
    while not done.is_set():
        time.sleep(0.001)


def lined(n: int) -> None:
    """Lines lead to calls in functions that have none: asks() and the library's."""
    with pyusdt.record(lines=f"{__name__}:leads"):
        leads(n)


def leads(n: int) -> None:
    for _ in range(n):
        asks(3)
    os.getppid()
    touches(n)


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def serves(n: int) -> None:
    """A thread a request, as `python -m http.server` has it."""
    (SCRATCH / "page").write_bytes(b"x" * 10007)
    os.chdir(SCRATCH)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print("port", server.server_address[1], flush=True)
        for _ in range(n):
            server.handle_request()


COMMANDS: list[Callable[[int], None]] = [
    asks,
    reads,
    writes,
    pipes,
    tired,
    busy,
    talks,
    talks_as_ssl_does,
    meets,
    opens,
    starts,
    forks,
    touches,
    hooked,
    hogging,
    serves,
    lined,
]


def main() -> None:
    commands = {command.__name__: command for command in COMMANDS}
    print("ready", SCRATCH, flush=True)
    for line in sys.stdin:
        name, n = line.split()
        thread = threading.Thread(target=commands[name], args=(int(n),))
        thread.start()
        thread.join()
        print("done", name, flush=True)


main()
