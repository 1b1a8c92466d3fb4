# SPDX-License-Identifier: Apache-2.0
"""Patterns that match nothing: they are named, with the name that they may stand for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE, Program

from pyusdt import unmatched

FUNCTIONS = [("__main__", "work"), ("__main__", "Shop.sell"), ("json.encoder", "encode")]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("__mian__", "__main__"),
        ("jsn", "json"),
        ("__mian__:w*", "__main__:w*"),
        ("__main__:wrok", "__main__:work"),
        ("__main__:Shop.sel", "__main__:Shop.sell"),
        ("json*:encod", "json.encoder:encode"),
        ("zzzzzzzz", ""),
        ("__main__:zzzzzzzzzzzzzzzzzz", ""),
    ],
)
def test_the_nearest(pattern: str, found: str) -> None:
    ending = f"; nearest: {found}" if found else ""
    assert list(unmatched.messages("--only", pattern, FUNCTIONS, ["json"])) == [
        f"--only {pattern} matched no function{ending}"
    ]


def test_what_matches_is_not_named() -> None:
    for pattern in ("__main__", "json", "*:enc*", "__main__:Shop.*", "", "__main__,json"):
        assert list(unmatched.messages("--only", pattern, FUNCTIONS, [])) == []
    assert len(list(unmatched.messages("--only", "__main__,jsn,x", FUNCTIONS, []))) == 2
    assert list(unmatched.messages("--lines", "*,all,profile,json", FUNCTIONS, [])) == []


PROGRAM = """
class Shop:
    def sell(self): ...
def never(): ...
def work(): Shop().sell()
work()
"""


def run(tmp_path: Path, *words: str) -> list[str]:
    """What `pyusdt` prints on stderr of a run with these options."""
    (tmp_path / "program.py").write_text(PROGRAM)
    argv = [sys.executable, "-m", "pyusdt", "-o", "out.pyusdt", *words, "program.py"]
    done = subprocess.run(
        argv, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    first, *rest = done.stderr.splitlines()
    assert "recorded; to look into it" in first
    return rest


def test_at_the_end_of_a_run(tmp_path: Path) -> None:
    assert run(tmp_path, "--only", "__main__") == []
    assert run(tmp_path, "--only", "__mian__") == [
        "pyusdt: --only __mian__ matched no function; nearest: __main__"
    ]
    assert run(
        tmp_path, "--only", "__main__:work,__main__:Shop.sel", "--only", "__main__:nevr"
    ) == [
        "pyusdt: --only __main__:Shop.sel matched no function; nearest: __main__:Shop.sell",
        "pyusdt: --only __main__:nevr matched no function; nearest: __main__:never",
    ]


def test_of_lines(tmp_path: Path) -> None:
    assert run(tmp_path, "--lines", "__main__:wrok,__main__:work") == [
        "pyusdt: --lines __main__:wrok matched no function; nearest: __main__:work"
    ]


def test_in_a_report(tmp_path: Path) -> None:
    run(tmp_path)
    argv = [sys.executable, "-m", "pyusdt", "report", "out.pyusdt", "--only", "__mian__"]
    done = subprocess.run(
        argv, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "pyusdt: out.pyusdt: no function matches --only __mian__; nearest: __main__\n"
    )


def test_of_a_running_process(tmp_path: Path) -> None:
    code = "import pyusdt, time\ndef work(): time.sleep(.01)\nprint('ready', flush=True)\n"
    with Program("-c", code + "while True: work()") as program:
        program.expect("^ready")
        pyusdt = [sys.executable, "-m", "pyusdt"]
        for words, said in (
            (
                ["record", "-d", "0.3", "-o", tmp_path / "out", "--only", "__mian__"],
                "nearest: __main__",
            ),
            (["record", "-d", "0.3", "-o", tmp_path / "out", "--only", "__main__:work"], ""),
            (["set", "--only", "__mian__"], "--only __mian__: did you mean __main__?"),
            (["set", "--only", "__main__,json,__mai*,_*:work"], ""),
        ):
            done = subprocess.run(
                [*pyusdt, words[0], "-p", str(program.pid), *words[1:]],
                capture_output=True, text=True, timeout=DEADLINE, check=True,
            )  # fmt: skip
            assert done.stderr.rstrip("\n").endswith(said)
            assert bool(done.stderr) == bool(said)
