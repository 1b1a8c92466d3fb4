# SPDX-License-Identifier: Apache-2.0
"""The sampler under circumstances of all kinds: many threads, forks, no /proc, other users."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import missing
from harness import DEADLINE, environment

import pyusdt
from pyusdt.commands import status

pytestmark = [pytest.mark.asan, pytest.mark.tsan]

SAMPLED = Path(__file__).parent / "programs/sampled.py"
SECONDS = 0.3
SLACK = 0.2  # of figures that rest on few looks, where the machine does other things


def run(*argv: object, shell: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *map(str, argv)]
    if shell:
        words = ["unshare", "--mount", "sh", "-c", f'{shell}; exec "$@"', "sh", *words]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=DEADLINE, check=False,
        env=environment(PYUSDT_VERBOSE="0", **variables),
    )  # fmt: skip


def sampled(what: str, **more: Any) -> Any:
    done = run(SAMPLED, what, **more)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["after"] is None
    return answer


def of(answer: Any, name: str) -> tuple[float, dict[str, float]]:
    cpu, waits = answer["functions"][name]
    return cpu / 1e9, {kind: ns / 1e9 for kind, ns in waits.items()}


def require_root() -> None:
    if os.geteuid() != 0:
        missing("chroot, mount and another user need root")


def test_while_it_records_and_no_longer() -> None:
    answer = sampled("with_names", PYUSDT_SAMPLE_MSEC="3")
    assert answer["names"] == ["pyusdt", "pyusdt-sample"]
    sampler = answer["sampler"]
    assert sampler["threads"] >= 1
    assert 3000 <= sampler["interval_usec"] <= 1_000_000
    assert sampler["looks"] > 5
    assert 0 < sampler["share"] < 0.2


def test_it_can_be_switched_off() -> None:
    answer = sampled("with_names", PYUSDT_SAMPLE_MSEC="0")
    assert answer["names"] == ["pyusdt"]
    assert answer["sampler"] is None
    assert answer["functions"]["nap"] == [None, {}]
    assert answer["losses"] == {}


@pytest.mark.parametrize("text", ["often", "-1", "10001"])
def test_an_interval_that_is_none(text: str) -> None:
    done = run("-c", "import pyusdt", PYUSDT_SAMPLE_MSEC=text)
    assert done.returncode == 0
    assert done.stderr == (
        f"pyusdt: PYUSDT_SAMPLE_MSEC={text}: it is not a number from 0 to 10000: "
        "using the default\n"
    )


def test_the_status_in_words() -> None:
    looks = status.Sampler(interval_usec=5250, threads=12, share=0.0042, looks=99)
    assert status._sampler(looks) == "every 5.2 ms, 12 threads, 0.4 % of a CPU"


def test_hundreds_of_threads_that_begin_and_end() -> None:
    """All of their CPU time is charged, nearly all to their function."""
    answer = sampled("many")
    assert answer["descriptors"] == 0
    cpu, _ = of(answer, "brief")
    assert 0.6 * answer["spent"] < cpu < 1.1 * answer["spent"]


@pytest.mark.parametrize("how", ["chroot", "drop_privileges", "close_all"])
def test_what_a_program_may_do_to_itself(how: str) -> None:
    if how != "close_all":
        require_root()
    answer = sampled(how)
    cpu, _ = of(answer, "spin")
    assert abs(cpu - 2 * SECONDS) < SLACK
    _, waits = of(answer, "nap")
    # Another user may not read in which system call a new thread waits.
    other = waits.get("other", 0)
    assert abs(waits.get("sleep", 0) + other - 2 * SECONDS) < SLACK
    assert bool(other) == (how == "drop_privileges")


@pytest.mark.unsanitized
def test_without_proc_there_are_wall_times_only() -> None:
    require_root()
    answer = sampled("plain", shell="mount -t tmpfs none /proc")
    assert answer["functions"]["nap"] == [None, {}]
    assert set(answer["losses"]) == {"no /proc or no thread: wall times only"}


FORKS = """
import os, sys, time
def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
spin(0.3)
pid = os.fork()
if pid == 0:
    time.sleep(0.2)
    spin(0.2)
else:
    os.waitpid(pid, 0)
    if sys.argv[1:]:
        os.execv("/bin/true", ["true"])
"""


@pytest.mark.parametrize("then", [[], ["exec"]])
def test_the_child_of_a_fork_begins_from_zero(then: list[str], tmp_path: Path) -> None:
    path = tmp_path / "forks.pyusdt"
    program = tmp_path / "forks.py"
    program.write_text(FORKS)
    done = run("-W", "error", "-m", "pyusdt", "-o", path, program, *then)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    recording = pyusdt.load(str(path))
    main = {thread.process: thread.charges for thread in recording.threads}
    cpu = [main[process.id].cpu_ns / 1e9 for process in recording.processes]
    assert abs(cpu[0] - 0.3) < SLACK
    assert abs(cpu[1] - 0.2) < SLACK
    waits = [main[process.id].waits for process in recording.processes]
    assert waits[0]["child"] / 1e9 > 0.3  # the child has to begin, and to end, too
    assert abs(waits[1]["sleep"] / 1e9 - 0.2) < SLACK


def test_a_killed_process_keeps_its_charges(tmp_path: Path) -> None:
    path = tmp_path / "killed.pyusdt"
    code = "import time, os\ntime.sleep(0.5)\nos.kill(os.getpid(), 9)\n"
    program = tmp_path / "killed.py"
    program.write_text(code)
    run("-m", "pyusdt", "-o", path, "--flush", "0.1", program)
    (sleeping,) = (t.charges.waits["sleep"] / 1e9 for t in pyusdt.load(str(path)).threads)
    assert 0.1 < sleeping < 0.6
