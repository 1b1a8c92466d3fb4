# SPDX-License-Identifier: Apache-2.0
"""`python -m pyusdt -o FILE` with packages that start Pythons of their own: each call of the
workers is in the recording, and each worker is a process of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pyusdt
from pyusdt.recording import Recording
from pyusdt.report import missing

from . import environments
from .environments import Environment
from .packages import Package

pytestmark = [pytest.mark.packages, pytest.mark.timeout(1200)]

LIMIT_SECONDS = 120
NEEDS = "joblib==1.6.0 dask==2026.8.0 distributed==2026.8.0 flask==3.1.3 django==6.1.3"


@pytest.fixture(scope="module")
def environment() -> Environment:
    return environments.of(Package("pytest-xdist", "3.8.0", "", needs=NEEDS, sdist=False))


def command(environment: Environment, out: Path, *words: str) -> list[str]:
    return [str(environment.python), "-m", "pyusdt", "-o", str(out), *words]


def variables(directory: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    return kept | {"HOME": str(directory), "TMPDIR": str(directory)}


def recorded(environment: Environment, directory: Path, *words: str) -> Recording:
    """That of a program which ends by itself, and well."""
    out = directory / "out.pyusdt"
    done = subprocess.run(
        command(environment, out, *words),
        cwd=directory,
        env=variables(directory),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return pyusdt.load(out)


def calls(recording: Recording, name: str) -> int:
    return sum(f.calls for f in recording.functions if f.record.qualname == name)


TESTS = """
import pytest

def work():
    pass

@pytest.mark.parametrize("n", range(20))
def test(n):
    for _ in range(n):
        work()
"""


def test_xdist(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    recording = recorded(environment, tmp_path, "-m", "pytest", "-q", "-n", "3", "test_it.py")
    assert (calls(recording, "work"), calls(recording, "test")) == (sum(range(20)), 20)
    assert len(recording.processes) == 4


PROGRAM = """
import sys

def work(n):
    return n

def loky():
    from joblib import Parallel, delayed
    return Parallel(n_jobs=2, backend="loky")(delayed(work)(n) for n in range(40))

def multiprocessing():
    from joblib import Parallel, delayed
    return Parallel(n_jobs=2, backend="multiprocessing")(delayed(work)(n) for n in range(40))

def distributed():
    from distributed import Client, LocalCluster
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        return client.gather(client.map(work, range(40)))

def dask():
    from dask import compute, delayed
    return compute(*(delayed(work)(n) for n in range(40)), scheduler="processes", num_workers=2)

if __name__ == "__main__":
    assert sum(globals()[sys.argv[1]]()) == sum(range(40))
"""


@pytest.mark.parametrize("way", ["loky", "multiprocessing", "distributed", "dask"])
def test_pools(environment: Environment, tmp_path: Path, way: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    recording = recorded(environment, tmp_path, "program.py", way)
    assert calls(recording, "work") == 40
    assert 2 <= len(recording.processes) <= 3
    assert not [program for program in missing.programs(recording) if "python" in program]


FLASK = """
from flask import Flask

app = Flask(__name__)

@app.route("/")
def index():
    return "here"

@app.route("/version")
def version():
    return "1"

if __name__ == "__main__":
    app.run(port=PORT, debug=True, use_debugger=False)
"""

DJANGO = """
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path

def index(request):
    return HttpResponse("here")

def version(request):
    return HttpResponse("1")

urlpatterns = [path("", index), path("version", version)]
settings.configure(DEBUG=True, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")

if __name__ == "__main__":
    execute_from_command_line([sys.argv[0], "runserver", "127.0.0.1:PORT"])
"""


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        port: int = it.getsockname()[1]
        return port


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def until_version(port: int, wanted: str, log: Path) -> None:
    late = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            if get(port, "version") == wanted:
                return
        except OSError:
            pass  # it is about to start
        assert time.monotonic() < late, log.read_text()
        time.sleep(0.2)


@contextmanager
def served(words: list[str], directory: Path, log: Path) -> Iterator[None]:
    """A server in a session of its own, which ends by Ctrl-C."""
    with log.open("w") as output:
        server = subprocess.Popen(
            words,
            cwd=directory,
            env=variables(directory),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
            os.killpg(server.pid, signal.SIGINT)
            server.wait(LIMIT_SECONDS)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


@pytest.mark.parametrize("source", [FLASK, DJANGO], ids=["flask", "django"])
def test_reloaders(environment: Environment, tmp_path: Path, source: str) -> None:
    """The server is another process after each change of its source."""
    program, out, log = tmp_path / "server.py", tmp_path / "out.pyusdt", tmp_path / "log"
    port = free_port()
    source = source.replace("PORT", str(port))
    program.write_text(source)
    with served(command(environment, out, "server.py"), tmp_path, log):
        for number, times in (("1", 7), ("2", 3), ("3", 5)):
            program.write_text(source.replace('"1"', f'"{number}"'))
            until_version(port, number, log)
            for _ in range(times):
                assert get(port, "") == "here"
    recording = pyusdt.load(out)
    assert calls(recording, "index") == 7 + 3 + 5, log.read_text()
    assert len(recording.processes) >= 4
