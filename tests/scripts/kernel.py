# SPDX-License-Identifier: Apache-2.0
"""The scripts that start from kernel events as a test runs them, over programs/kernel.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import ROOT, Program, Tracer

PROGRAM = Path(__file__).parent / "programs/kernel.py"
FRAMES = ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"]
LIBRARY = "./libpyusdt.so"
# They see what happens outside of the process: they take it as a parameter, not as -p.
BEYOND = ("pyoffcpu", "pyexec")


@contextmanager
def traced(name: str, script: Path | None = None) -> Iterator[tuple[Program, Tracer]]:
    """The program, and a script that is attached to it."""
    with Program(PROGRAM) as program:
        program.expect("^ready")
        python = [interpreter(program.pid)] if name == "pygil" else []
        pid, words = (None, [str(program.pid)]) if name in BEYOND else (program.pid, python)
        path = script or ROOT / f"scripts/{name}.bt"
        with Tracer(path, pid, parameters=[LIBRARY, *words]) as tracer:
            program.expect_on(*FRAMES)
            yield program, tracer
        assert program.wait() == 0


def interpreter(pid: int) -> str:
    """The file that has the interpreter's code: libpython, or the program itself."""
    files = re.findall(r"r-xp.* (/\S+)$", Path(f"/proc/{pid}/maps").read_text(), re.MULTILINE)
    shared = [file for file in files if re.search(r"/libpython3\.\d+t?d?\.so", file)]
    return shared[0] if shared else str(Path(f"/proc/{pid}/exe").readlink())


def answer(name: str, *commands: str) -> str:
    """What the script prints of a program that does this."""
    with traced(name) as (program, tracer):
        for command in commands:
            program.send(command)
            program.expect(f"^done {command.split()[0]}$")
        return tracer.finish()


def of(found: dict[str, int], name: str) -> dict[str, int]:
    """One map of several."""
    return {
        key.removeprefix(name): value for key, value in found.items() if key.startswith(f"{name}[")
    }
