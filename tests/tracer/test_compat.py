# SPDX-License-Identifier: Apache-2.0
"""The probes of provider python: once in every process, and what they tell a real bpftrace."""

from __future__ import annotations

import ast
import shutil
from collections import Counter
from pathlib import Path

import pytest
from harness import LIBRARY, LINE_EVENTS, ROOT, Program, Tracer, maps, probe
from notes import notes, sites

pytestmark = pytest.mark.usefixtures("library")

PROGRAM = Path(__file__).parent / "programs/compat.py"
# By a relative path, which every bpftrace attaches to once: see harness.probe().
COMPAT = Path("pyusdt/libpyusdt_compat.so")
NAMES = ["function__entry", "function__return", "line"]
EVENTS = {
    "function__entry": ["PY_START", "PY_RESUME", "PY_THROW"],
    "function__return": ["PY_RETURN", "PY_YIELD", "PY_UNWIND"],
    "line": [*LINE_EVENTS],
}
RUNS = 23

# What one run() fires: the function, the line counted from its "def", and how often.
EXPECTED = {
    "function__entry": {
        ("plain", 0): 2,
        ("nested", 0): 3,
        ("numbers", 0): 2,
        ("numbers", 2): 5,
        ("delegate", 0): 1,
        ("delegate", 1): 2,
        ("caught", 0): 1,
        ("caught", 2): 1,
        ("caught", 4): 1,
        ("fail", 0): 1,
        ("passes_on", 0): 1,
        ("leaf", 0): 1,
        ("awaits", 0): 1,
    },
    "function__return": {
        ("plain", 2): 2,
        ("nested", 1): 3,
        ("numbers", 1): 2,
        ("numbers", 2): 5,
        ("delegate", 1): 3,
        ("caught", 2): 1,
        ("caught", 4): 2,
        ("fail", 1): 1,
        ("passes_on", 1): 1,
        ("leaf", 1): 1,
        ("awaits", 1): 1,
    },
    "line": {
        ("plain", 1): 2,
        ("plain", 2): 2,
        ("nested", 1): 3,
        ("numbers", 1): 7,
        ("numbers", 2): 5,
        ("fail", 1): 1,
    },
}


def mapped(program: Program) -> set[Path]:
    """The files that a process has mapped."""
    lines = Path(f"/proc/{program.pid}/maps").read_text().splitlines()
    return {Path(path) for line in lines if (path := line[73:]).startswith("/")}


def probes(path: Path) -> set[str]:
    """The names of a file's probes, as tools look them up; none where it is no ELF file."""
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return set()
    return {site.name for site in sites(path)}


def compat() -> Program:
    program = Program(PROGRAM)
    program.expect("^ready")
    return program


@pytest.fixture
def loaded() -> None:
    """Our library has the probes, since the interpreter has none."""
    with compat() as program:
        if ROOT / COMPAT not in mapped(program):
            pytest.skip("Python has the probes of provider python itself")


def places(name: str) -> dict[str, int]:
    """EXPECTED as the keys of a map say it, for all runs."""
    tree = ast.parse(PROGRAM.read_text())
    begins = {f.name: f.lineno for f in tree.body if hasattr(f, "lineno") and hasattr(f, "name")}
    return {
        f"[{function}, {begins[function] + offset}]": times * RUNS
        for (function, offset), times in EXPECTED[name].items()
    }


def test_the_library_has_these_probes_and_no_other() -> None:
    found = notes(ROOT / COMPAT)
    assert sorted(found) == NAMES
    for note in found.values():
        assert note.provider == "python"
        assert note.semaphore
        sizes = [operand.split("@")[0] for operand in note.arguments]
        assert sizes == ["8", "8", "-4"]


def test_no_tool_finds_a_name_twice() -> None:
    with compat() as program:
        files = {path: probes(path) for path in mapped(program)}
    assert LIBRARY in files
    holders = Counter(name for names in files.values() for name in names)
    for path in (LIBRARY, ROOT / COMPAT):
        assert {name: holders[name] for name in files.get(path, ()) if holders[name] > 1} == {}
    # Ours or the interpreter's: one has them, and CPython 3.15 lacks line.
    assert holders["function__entry"] == holders["function__return"] == 1
    assert holders["line"] == (ROOT / COMPAT in files)


@pytest.mark.usefixtures("bpftrace", "loaded")
@pytest.mark.parametrize("name", NAMES)
def test_every_place_is_told_exactly(name: str) -> None:
    script = f"""
        usdt:{COMPAT}:python:{name} {{
            @[str(arg1, 32), arg2] = count();
            @files[str(arg0, 128)] = count();
        }}
    """
    with compat() as program, Tracer(script, program.pid) as tracer:
        program.expect_on(*EVENTS[name])
        program.send(str(RUNS))
        program.expect("^done")
        counts = maps(tracer.finish())
        program.expect_off()
    wanted = places(name)
    functions = {key.split(",")[0] for key in wanted}
    assert {k: n for k, n in counts.items() if k.split(",")[0] in functions} == wanted
    assert counts[f"files[{PROGRAM}]"] >= sum(wanted.values())


@pytest.mark.usefixtures("bpftrace", "loaded")
def test_beside_a_probe_that_wants_functions_only_once() -> None:
    """code__new disables the start of a function that it has told of: not while others listen."""
    script = f"""
        usdt:{COMPAT}:python:function__entry /str(arg1, 32) == "nested"/ {{ @ = count(); }}
        {probe("code__new")} {{ @new = count(); }}
    """
    with compat() as program, Tracer(script, program.pid) as tracer:
        program.expect_on(*EVENTS["function__entry"])
        program.send(str(RUNS))
        program.expect("^done")
        assert maps(tracer.finish())[""] == 3 * RUNS


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("kind", ["absent", "damaged", "of another release"])
def test_without_the_library_all_else_works(tmp_path: Path, kind: str) -> None:
    shutil.copytree(ROOT / "pyusdt", tmp_path / "pyusdt", symlinks=True)
    library = tmp_path / COMPAT
    library.unlink()
    if kind == "damaged":
        library.write_bytes(b"\x7fELF and no more\n")
    elif kind == "of another release":
        shutil.copy(LIBRARY, library)  # exports something else
    for verbose in ("0", "1"):
        variables = {"PYTHONPATH": str(tmp_path), "PYUSDT_VERBOSE": verbose}
        code = "import pyusdt; print('works')"
        with Program("-c", code, python=["-P"], **variables) as program:
            assert program.wait() == 0
        lines = program.output.splitlines()
        assert lines[-1] == "works"
        complaints = [line for line in lines if "no probes of provider python" in line]
        assert len(complaints) == int(verbose)
