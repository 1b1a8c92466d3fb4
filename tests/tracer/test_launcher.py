# SPDX-License-Identifier: Apache-2.0
"""What a real tracer sees of a program that waits for it: all of the program, nothing of ours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from harness import Process, Tracer, probe

FILES = {
    "script.py": "def last(): pass\nlast()",
    "module.py": "def last(): pass\nlast()",
    "directory/__main__.py": "def last(): pass\nlast()",
    "package/__init__.py": "",
    "package/__main__.py": "def last(): pass\nlast()",
}

# What is run, and the file of its first line.
CASES = [
    (["script.py"], "script.py"),
    (["-m", "module"], "module.py"),
    (["-c", "def last(): pass\nlast()"], "<string>"),
    (["directory"], "__main__.py"),
    (["-m", "package"], "__init__.py"),
]


@pytest.mark.usefixtures("bpftrace", "library")
@pytest.mark.parametrize(("words", "file"), CASES, ids=str)
def test_traced_from_the_first_line(tmp_path: Path, words: list[str], file: str) -> None:
    for name, source in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    seen = starts([sys.executable, "-m", "pyusdt", "--wait", *words], tmp_path)
    if words[-1] == "package":  # it is imported before it is run, by code that is traced too
        seen = [start for start in seen if start[1].startswith(str(tmp_path))]
    assert [name for name, _ in seen if name != "<module>"] == ["last"]
    name, path = seen[0]
    assert (name, Path(path).name) == ("<module>", file)


def starts(command: list[str], cwd: Path) -> list[tuple[str, str]]:
    """Run a program that waits for a tracer; every PY_START of it as (function, file)."""
    # Two strings of one printf do not fit on the stack of BPF.
    show = 'printf("@ %s ", str(arg0, 64)); printf("%s\\n", str(arg1, 160));'
    with Process(command, cwd=cwd) as program:
        program.expect(f"process {program.pid} waits for a tracer")
        with Tracer(f"{probe('PY_START')} {{ {show} }}", program.pid) as tracer:
            assert program.wait() == 0
            tracer.expect("^@ last ")
            lines = [line.split(" ", 2) for line in tracer.finish().splitlines()]
    return [(words[1], words[2]) for words in lines if words[0] == "@"]
