# SPDX-License-Identifier: Apache-2.0
"""From a program whose allocations are known to what its reports show of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import DEADLINE, ROOT

PROGRAM = ROOT / "tests/recorder/programs/leaks.py"
LARGE = 50_000_000
FEW = 20_000
"""Bytes that a function may have beside those: of its first call, which others may have had."""


def pyusdt(*words: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", *words],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout


Recorded = Callable[..., tuple[Path, int]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """recorded(n, *options): the recording, and how many bytes the program says it has kept."""
    directory = tmp_path_factory.mktemp("recorded")
    known: dict[tuple[Any, ...], tuple[Path, int]] = {}

    def of(n: int, *options: str) -> tuple[Path, int]:
        if (n, options) not in known:
            out = directory / f"{len(known)}.pyusdt"
            kept = pyusdt("-o", out, *options, PROGRAM, str(n))
            known[n, options] = out, int(kept)
        return known[n, options]

    return of


def functions(path: Path) -> dict[str, dict[str, int]]:
    it = json.loads(pyusdt("report", path, "-f", "json"))
    return {f["qualname"]: f for f in it["functions"] if f["module"] == "__main__"}


def rows(text: str) -> list[list[str]]:
    return [re.split(r"  +", line.strip()) for line in text.splitlines()]


WAYS = [["--memory"], ["--memory=python"], ["--memory", "--lines", "*"]]


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_functions_have_what_they_allocated(recorded: Recorded, options: list[str]) -> None:
    path, kept = recorded(2000, *options)
    found = functions(path)
    leak, temporary = found["leak"], found["temporary"]
    assert leak["live_bytes"] - kept in range(FEW)
    assert leak["live_blocks"] - 2001 in range(100)
    assert leak["peak_bytes"] - kept in range(FEW)
    assert temporary["biggest_block"] - LARGE in range(100)
    assert temporary["allocated_bytes"] - LARGE in range(FEW)
    assert temporary["peak_bytes"] - LARGE in range(FEW)
    assert temporary["temporary_bytes"] - LARGE in range(FEW)
    assert temporary["live_bytes"] in range(FEW)


def test_the_table_is_led_by_what_was_there_at_the_peak(recorded: Recorded) -> None:
    path, _ = recorded(2000, "--memory")
    lines = rows(pyusdt("report", path, "--memory"))
    heading = next(i for i, row in enumerate(lines) if row[-1] == "function")
    first, second = lines[heading + 1 : heading + 3]
    assert (first[0], first[-4:-2]) == ("50.0 MB", ["50.0 MB", "temporary"])
    assert second[-3] == "leak"
    assert lines[1][0].startswith("memory 52.")
    tree = rows(pyusdt("report", path, "--memory", "--tree"))
    assert any(row[-3:-2] == ["└─main"] and row[0].startswith("52.") for row in tree)


def test_leaks_name_the_line_and_who_called(recorded: Recorded) -> None:
    path, _ = recorded(2000, "--memory", "--lines", "*")
    lines = rows(pyusdt("report", path, "--leaks", "--top", "1"))
    at = next(i for i, row in enumerate(lines) if row[-1] == "allocated by ← called by")
    assert lines[at + 1][0].startswith("2.0")
    assert lines[at + 1][4:6] == ["leak", "__main__"]
    assert lines[at + 2][1] == "kept.append(bytes(1000))"
    assert [row[0] for row in lines[at + 3 : at + 5]] == ["← main", "← <module>"]


def test_lines_have_their_source(recorded: Recorded) -> None:
    path, kept = recorded(2000, "--memory", "--lines", "*")
    shown = pyusdt("report", path, "--memory", "--lines=temporary")
    (line,) = (row for row in rows(shown) if row[-1] == "return len(bytearray(50_000_000))")
    assert (line[1], line[-2]) == ("50.0 MB", "50.0 MB")
    it = json.loads(pyusdt("report", path, "-f", "json"))
    number = PROGRAM.read_text().splitlines().index("        kept.append(bytes(1000))") + 1
    (row,) = (row for row in it["lines"] if row["line"] == number)
    assert row["live_bytes"] - kept in range(FEW)


def test_compare_names_what_leaks_more(recorded: Recorded) -> None:
    (before, _), (after, _) = recorded(2000, "--memory"), recorded(9000, "--memory")
    text = pyusdt("compare", before, after, "--memory", "--fail-above", "50%", code=1)
    assert "memory at peak of __main__:leak" in text
    assert "of __main__:temporary" not in text
    pyusdt("compare", before, before, "--memory", "--fail-above", "0%")


def test_samples_find_what_is_large(recorded: Recorded) -> None:
    path, _ = recorded(2000, "--memory=sampled")
    text = pyusdt("report", path, "--memory")
    (line,) = (row for row in rows(text) if row[-3:-2] == ["temporary"])
    assert line[0] == "~50 MB"
    assert "what samples of all blocks stand for (~)" in text
