# SPDX-License-Identifier: Apache-2.0
"""Servers and pools of processes: each worker is traced, old or new, and keeps nothing of it.

Workers are started before a tracer attaches and while it is there, are killed and reloaded. Each
says what can be seen in it; see programs/meeting.py.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from harness import DEADLINE, INSIDE, ROOT, Process, Tracer, environment, maps, probe

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAMS = Path(__file__).parent / "programs"
CALLS = 100  # in meeting.py
COUNT = f'{probe("PY_START")} /str(arg0, 8) == "work"/ {{ @[pid] = count(); }}'


class Server(Process):
    """A program with workers, and how to have one of them, that has nothing to do, attend."""

    def __init__(self, *argv: str | Path, directory: Path, **variables: str) -> None:
        self.door = directory / "meeting"
        os.mkfifo(self.door)
        self.environment = environment(
            PYTHONPATH=os.pathsep.join(map(str, (ROOT, INSIDE, PROGRAMS))),
            MEETING=str(self.door),
            **variables,
        )
        super().__init__(
            [sys.executable, "-W", "always::DeprecationWarning", *argv],
            env=self.environment,
            cwd=directory,
            start_new_session=True,
        )

    def invite(self, state: str) -> None:
        raise NotImplementedError

    def dismissed(self) -> None:
        """Called when those who attended have left."""

    def meet(self, state: str, workers: int) -> list[int]:
        """The pids of as many different workers, which are "traced" or "idle"."""
        pids = []
        for _ in range(workers):
            self.invite(state)
            attends = self.expect(r"^attends (\d+) with (\d+)$")
            assert attends[2] == "1", "watchers"
            pids.append(int(attends[1]))
        assert len(set(pids)) == workers
        opened = os.open(self.door, os.O_RDWR)
        for _ in range(workers):
            self.expect(r"^leaves \d+$")
        os.close(opened)
        self.dismissed()
        return pids

    def stop(self) -> None:
        self.child.send_signal(signal.SIGTERM)
        assert self.wait() == 0
        assert "Traceback" not in self.output

    def kill(self) -> None:
        """With its workers, which hold its output open."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        super().kill()


class WebServer(Server):
    """It says its address."""

    def __init__(self, *argv: str | Path, directory: Path) -> None:
        super().__init__(*argv, directory=directory)
        self.clients: list[socket.socket] = []
        self.port = int(self.expect(r"http://127\.0\.0\.1:(\d+)")[1])

    def invite(self, state: str) -> None:
        client = self.connect()
        client.sendall(f"GET /{state} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        self.clients.append(client)

    def connect(self) -> socket.socket:
        """uvicorn tells its address before anybody listens."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port))
            except ConnectionRefusedError:
                assert time.monotonic() < end, self.heard()
                os.sched_yield()

    def dismissed(self) -> None:
        for client in self.clients:
            with client, client.makefile("rb") as answer:
                assert answer.read().endswith(b"\r\n\r\nok\n")
        self.clients.clear()

    def kill(self) -> None:
        for client in self.clients:
            client.close()
        super().kill()


@contextmanager
def counted(server: Server) -> Iterator[Callable[[int], list[int]]]:
    """While a tracer is there: what has so many workers attend. Their work is counted exactly."""
    seen: Counter[int] = Counter()

    def meet(workers: int) -> list[int]:
        pids = server.meet("traced", workers)
        seen.update(pids)
        return pids

    with Tracer(COUNT) as tracer:
        yield meet
        counts = {int(pid.strip("[]")): n for pid, n in maps(tracer.finish()).items()}
    assert counts == {pid: n * CALLS for pid, n in seen.items()}


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", ["--preload", "--no-preload"])
def test_gunicorn(tmp_path, how):
    """With --preload the master has imported pyusdt, otherwise only the workers have."""
    options = [how] if how == "--preload" else []
    with WebServer(
        *("-m", "gunicorn", *options, "--workers=4", "--bind=127.0.0.1:0", "--timeout=0"),
        "--no-control-socket",  # it is a thread, and CPython warns of it at each fork
        "wsgi:application",
        directory=tmp_path,
    ) as server:
        old = server.meet("idle", 4)
        with counted(server) as meet:
            assert set(meet(4)) == set(old)
            kill(old[0])
            second = meet(4)
            assert set(second) - set(old) and old[0] not in second
            server.child.send_signal(signal.SIGHUP)
            for _ in range(4):
                server.expect("Worker exiting")
            third = meet(4)
            assert not set(third) & set(second)
        assert set(server.meet("idle", 4)) == set(third)
        server.stop()
        assert "multi-threaded" not in server.output, "it was warned of a fork"


def test_uvicorn(tmp_path):
    with WebServer(
        *("-m", "uvicorn", "--workers=2", "--port=0", "--no-access-log", "asgi:application"),
        directory=tmp_path,
    ) as server:
        old = server.meet("idle", 2)
        with counted(server) as meet:
            assert set(meet(2)) == set(old)
            kill(old[0])
            new = meet(2)
            assert old[0] not in new
        assert set(server.meet("idle", 2)) == set(new)
        server.stop()


class Celery(Server):
    """A worker with processes, and a client that hands it tasks through files."""

    def __init__(self, directory: Path) -> None:
        broker = directory / "broker"
        broker.mkdir()
        super().__init__(
            *("-m", "celery", "--app=tasks", "worker", "--pool=prefork", "--concurrency=3"),
            *("--max-tasks-per-child=2", "--without-gossip", "--without-mingle"),
            directory=directory,
            C_FORCE_ROOT="1",
            BROKER=str(broker),
        )
        self.client = Process([sys.executable, PROGRAMS / "tasks.py"], env=self.environment)
        self.client.expect("^ready")

    def invite(self, state: str) -> None:
        self.client.send(state)

    def kill(self) -> None:
        self.client.kill()
        super().kill()


def test_celery(tmp_path):
    """Its workers do two tasks each. (Killed, one may take the lock of their queue along.)"""
    with Celery(tmp_path) as server:
        old = server.meet("idle", 3)
        with counted(server) as meet:
            assert set(meet(3)) == set(old)
            new = meet(3)
            assert not set(new) & set(old)
        assert set(server.meet("idle", 3)) == set(new)
        server.stop()


class Pools(Server):
    pool = ""

    def invite(self, state: str) -> None:
        self.send(f"{self.pool} {state}")


POOLS = ("fork-pool", "forkserver-pool", "forkserver-executor", "spawn-pool", "spawn-executor")


def test_pools_of_multiprocessing_and_of_concurrent_futures(tmp_path):
    """Their workers do two tasks each, but for those that are forked."""
    old, new, last = {}, {}, {}
    with Pools(PROGRAMS / "pools.py", directory=tmp_path) as server:
        server.expect("^ready")
        for server.pool in POOLS:
            old[server.pool] = server.meet("idle", 2)
        with counted(server) as meet:
            for server.pool in POOLS:
                assert set(meet(2)) == set(old[server.pool])
            for server.pool in POOLS:
                new[server.pool] = meet(2)
                stays = len(set(new[server.pool]) & set(old[server.pool]))
                assert stays == (2 if server.pool == "fork-pool" else 0)
        for server.pool in POOLS:
            last[server.pool] = server.meet("idle", 2)
            assert set(last[server.pool]) == set(new[server.pool])
        assert server.wait() == 0
        assert "Traceback" not in server.output
