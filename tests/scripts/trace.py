# SPDX-License-Identifier: Apache-2.0
"""`pyusdt trace` as a test runs it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

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
