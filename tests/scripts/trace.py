# SPDX-License-Identifier: Apache-2.0
"""`pyusdt trace` as a test runs it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, Process

PROGRAM = Path(__file__).parent / "programs/answers.py"


class Trace(Process):
    """`pyusdt trace` with these words."""

    def __init__(self, *words: str | Path, **variables: str) -> None:
        super().__init__(
            [sys.executable, "-m", "pyusdt", "trace", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
            start_new_session=True,  # its own process group, for Ctrl-C
        )

    def kill(self) -> None:
        """It, and the program that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        super().kill()


def result_of(
    function: Callable[..., object], *arguments: object, **named: object
) -> pytest.MarkDecorator:
    """The test gets as its fixture `result` what the function returns: see conftest.py."""
    return pytest.mark.result_of.with_args(function, *arguments, **named)


def answer(tool: str, *parameters: str, does: tuple[str, ...], **variables: str) -> str:
    """What a tool prints of the program that does this, from its first line on."""
    with Trace(tool, *parameters, "--", PROGRAM, *does, **variables) as trace:
        assert trace.wait() == 0, trace.output
        return trace.output


Rows = list[dict[str, Any]]


CALLED = {
    ("__main__", "<module>"): 1,
    ("__main__", "Shop"): 1,
    ("__main__", "Attributes"): 1,
    ("__main__", "Node"): 1,
    ("__main__", "calls"): 1,
    ("__main__", "work"): 23,
    ("__main__", "Shop.sell"): 7,
    ("__main__", "numbers"): 1,
}
"""Of the program's functions when it does `calls`."""


def tables(output: str) -> dict[str, Rows]:
    """The rows that `-f json` prints, by the titles of their tables."""
    document = re.search(r"^\{$.*^\}$", output, re.MULTILINE | re.DOTALL)
    assert document, output
    return {table["title"]: table["rows"] for table in json.loads(document[0])["tables"]}


def counts(rows: Rows, column: str, *labels: str) -> dict[tuple[Any, ...], Any]:
    """One column, by module and name of the function, and by these labels."""
    found = {}
    for row in rows:
        function = row["function"]
        key = (function["module"], function["qualname"], *(row[label] for label in labels))
        assert key not in found, rows
        found[key] = row[column]
    return found


def without_ids(found: dict[str, int], functions: int = 1) -> dict[str, int]:
    """Maps as bpftrace prints them, without the ids of functions at the ends of the keys."""
    named: dict[str, int] = {}
    for key, value in found.items():
        name = re.sub(rf"(, \d+){{{functions}}}\]$", "]", key)
        named[name] = named.get(name, 0) + value
    return named
