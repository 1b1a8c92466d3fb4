# SPDX-License-Identifier: Apache-2.0
"""`make demo`, short: as root it traces, without it records."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import ROOT, Process

pytestmark = pytest.mark.once

DEMO = [sys.executable, ROOT / "tools/demo", "--seconds", "1"]


@pytest.mark.usefixtures("bpftrace", "library")
def test_as_root_three_tools_answer() -> None:
    with Process(DEMO) as demo:
        assert demo.wait() == 0, demo.output
        demo.expect("^== How long does this function take")
        demo.expect(r"^handle_order  __main__:\d+$")
        demo.expect("^== Where do threads wait")
        demo.expect(r"^ *[\d.]+ .?s .*% .* < ")
        demo.expect("^== Which system calls do Python functions make")
        demo.expect(r"^ *[\d.]+ .?s .*% .* \w+ +\S+  \S+:\d+$")


def test_without_root_the_recorder_answers(tool: Callable[[str], str]) -> None:
    """Nobody, but for files: the checkout and the interpreter may be root's."""
    rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    nobody = [tool("setpriv"), "--reuid=65534", "--clear-groups", *rights]
    with Process([*(nobody if os.geteuid() == 0 else []), *DEMO]) as demo:
        assert demo.wait() == 0, demo.output
        demo.expect("^No tracing: tracing needs root")
        demo.expect(r"^ *[\d~<-].* main +__main__ .*service\.py:\d+$")
        page = Path(demo.expect(r": (/\S+\.html)$")[1])
        assert "Service.archive" in page.read_text()
