# SPDX-License-Identifier: Apache-2.0
"""Somebody else's usdt.h in place of ours: USDT_INCLUDE names its directory."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import LIBRARY, Program, Tracer, maps, probe
from notes import notes

pytestmark = [pytest.mark.once, pytest.mark.apart]

OTHER = Path(__file__).parent / "other"
CALLS = 23
PROGRAM = Path(__file__).parent / "programs/work.py"


def build(checkout: Path, include: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--force", "--inplace"],
        cwd=checkout,
        env=os.environ | {"USDT_INCLUDE": str(include), "PYUSDT_CFLAGS": "-Werror"},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def other(shared_checkout: Path, tool: Callable[[str], str]) -> Path:
    """The library, built against <sys/sdt.h>."""
    tool("dtrace")  # comes with <sys/sdt.h>
    done = build(shared_checkout, OTHER)
    assert done.returncode == 0, done.stderr
    (path,) = (shared_checkout / "pyusdt").glob("libpyusdt.*so")
    return path


def test_the_other_header_goes_first(shared_checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "usdt.h").write_text("#error this is theirs\n")
    done = build(shared_checkout, tmp_path)
    assert done.returncode != 0
    assert "this is theirs" in done.stderr


def test_same_probes(other: Path) -> None:
    theirs, ours = notes(other), notes(LIBRARY)
    assert theirs.keys() == ours.keys()
    for name, note in theirs.items():
        assert note.semaphore != 0, name
        assert len(note.arguments) == len(ours[name].arguments), name


@pytest.mark.usefixtures("bpftrace")
def test_traced_to_the_last_call(other: Path) -> None:
    where = {"PYTHONPATH": str(other.parent.parent)}
    with Program("-m", "pyusdt", PROGRAM, str(CALLS), python=["-P"], **where) as program:
        program.expect("ready")
        # The README says why this path and not the bare one.
        start = probe("PY_START", f"/proc/{program.pid}/root{other}")
        script = f'{start} /str(arg0) == "work"/ {{ @calls = count(); }}'
        with Tracer(script, program.pid) as tracer:
            program.expect_on("PY_START")
            program.send("")
            program.expect("done")
            assert maps(tracer.finish()) == {"calls": CALLS}
