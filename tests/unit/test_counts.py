# SPDX-License-Identifier: Apache-2.0
"""What the recorder hands over: its layout, and bytes that are none of it."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import ROOT
from recordings import snapshot_of

import pyusdt
from pyusdt import libpyusdt
from pyusdt.recording import counts
from pyusdt.recording.pack import pack

STRUCTS = {
    "": (counts.HEAD, "ns_per_tick now now_ns n_losses n_threads n_nodes n_totals n_durations"
                      " n_charges n_functions n_steps n_names text_size flags n_lines"
                      " n_memory n_resident n_living n_points n_growth n_step_memory"),
    "_loss": (counts.LOSS, "name reserved count"),
    "_thread": (counts.THREAD, "serial tid ident elapsed name reserved"),
    "_node": (counts.NODE, "serial index parent function calls resumes errors elapsed self"),
    "_total": (counts.TOTAL, "serial function calls primitive_calls resumes errors total self"),
    "_duration": (counts.DURATION, "serial function ticks count kind reserved"),
    "_charge": (counts.CHARGE, "serial index function kind reserved syscall samples ns line"
                                 " reserved2"),
    "_line": (counts.LINE, "serial function line reserved hits errors total self"),
    "_memory": (counts.MEMORY, "serial index function line allocated_bytes allocated_blocks"
                                " freed_bytes freed_blocks temporary_bytes temporary_blocks"
                                " peak_bytes peak_blocks biggest"),
    "_resident": (counts.RESIDENT, "at_ns rss swap peak"),
    "_function": (counts.FUNCTION, "id line module qualname name file"),
    "_living": (counts.LIVING, "serial index function line since bytes blocks"),
    "_point": (counts.POINT, "iteration bytes name changing"),
    "_growth": (counts.GROWTH, "serial index function line point reserved bytes"),
    "_step": (counts.STEP, "start value ident name kind"),
    "_step_memory": (counts.STEP_MEMORY, "step rss_start rss_end allocated freed peak"),
}  # fmt: skip


def test_the_layout_is_that_of_the_header(tool: Callable[[str], str], tmp_path: Path) -> None:
    rows, expected = [], []
    for name, (codec, fields) in STRUCTS.items():
        of = f"struct pyusdt_counts{name}"
        codes = "".join(int(n or 1) * c for n, c in re.findall(r"(\d*)([a-zA-Z])", codec.format))
        for i, field in enumerate(fields.split()):
            rows.append(f'printf("{of} {field} %zu\\n", offsetof({of}, {field}));')
            expected.append(f"{of} {field} {struct.calcsize('=' + codes[:i])}")
        rows.append(f'printf("{of} %zu\\n", sizeof({of}));')
        expected.append(f"{of} {codec.size}")
        assert len(codes) == len(fields.split())
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text(
        '#include <stddef.h>\n#include <stdio.h>\n#include "pyusdt_counts.h"\n'
        f"int main(void) {{\n{chr(10).join(rows)}\n}}\n"
    )
    subprocess.run([tool("cc"), f"-I{ROOT / 'include'}", source, "-o", program], check=True)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == expected


def work() -> None:
    with pyusdt.step("step"):
        pyusdt.mark("mark", "text")


@pytest.fixture
def good() -> bytes:
    with pyusdt.record():
        work()
        return libpyusdt.recorded()


def test_what_it_holds(good: bytes) -> None:
    functions: dict[int, counts.FunctionRow] = {}
    found = counts.unpack(good, functions)
    (row,) = [row for row in functions.values() if (row.module, row.qualname) == (__name__, "work")]
    (node,) = [node for node in found.nodes if node.function == row.id]
    assert (node.calls, node.resumes, node.errors) == (1, 0, 0)
    (total,) = [total for total in found.totals if total.function == row.id]
    assert total == (node.serial, row.id, 1, 1, 0, 0, node.elapsed, node.own)
    assert [(step.name, step.value) for step in found.steps] == [("mark", "text"), ("step", None)]
    (thread,) = [thread for thread in found.threads if thread.serial == node.serial]
    assert thread.name == "MainThread"


def test_damaged(good: bytes) -> None:
    chance = random.Random(1)
    refused = 0
    for _ in range(300):
        bad = bytearray(good[: chance.randrange(1, len(good))] if chance.random() < 0.5 else good)
        for _ in range(3):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        try:
            counts.unpack(bytes(bad), {})
        except ValueError as error:
            assert str(error).startswith("counts that make no sense: ")
            refused += 1
    assert refused > 100


def test_what_is_packed_is_unpacked() -> None:
    it = snapshot_of(
        [(1, "main", 9)],
        [(5, "app", "f", "f", "/app.py", 1)],
        charges=[(0, -1, 5, "user", 0, 2, 7, 12), (0, -1, -1, "other", 17, 1, 8, 0)],
        lines=[(0, 5, 12, 3, 1, 8, 7), (0, 5, 2**31 - 1, 1, 0, 0, 0)],
    )
    found = counts.unpack(pack(it, [4]), {})
    assert [(row.serial, *row[1:]) for row in found.lines] == [(4, *row[1:]) for row in it.lines]
    no_node, ns = counts.NO_NODE, 7
    assert found.charges == [
        (4, no_node, 5, "user", 0, 12, 2, ns), (4, no_node, 0, "other", 17, 0, 1, 8)
    ]  # fmt: skip


def test_counts_of_a_process_that_has_no_lines() -> None:
    """Version 5 of the control struct: its charges are shorter."""
    head = struct.pack("=d2Q12I", 1.0, 9, 9, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, counts.SAMPLED, 0)
    rows = [struct.pack("=IIIHHIIQ", 1, 2, 3, kind, 0, 0, kind, 50) for kind in (1, 4)]
    found = counts.unpack(head + b"".join(rows), {}, version=5)
    assert found.sampled
    assert found.lines == []
    assert found.charges == [(1, 2, 3, "system", 0, 0, 1, 50), (1, 2, 3, "sleep", 0, 0, 4, 50)]
