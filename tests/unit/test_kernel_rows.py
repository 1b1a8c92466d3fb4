# SPDX-License-Identifier: Apache-2.0
"""What bpftrace has counted for --kernel, made into rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pyusdt.recording.kernel_file import parse
from pyusdt.tracing import system_calls
from pyusdt.tracing.kernel_program import What, source
from pyusdt.tracing.kernel_rows import Account, Row

pytestmark = pytest.mark.once

NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")


def stats(count: int, total: int) -> dict[str, int]:
    return {"count": count, "average": total // count, "total": total}


def account(**maps: Any) -> Account:
    """Of process 7, between 1000 and 2000 ns."""
    return Account({"@python": {"7": 1}} | {f"@{k}": v for k, v in maps.items()}, 1000, 2000)


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_calls, "names", lambda: {39: "getpid"})


def test_system_calls_have_names_times_and_errors() -> None:
    its = account(
        syscalls={"7,8,3,39": stats(5, 60), "7,8,-1,999": stats(1, 2), "9,9,1,39": stats(1, 1)},
        errors={"7,8,3,39": 2},
    )
    assert its.rows == [
        Row(7, 8, 3, "syscall", "getpid", 5, 60, 0, 2),
        Row(7, 8, -1, "syscall", "999", 1, 2),
    ]


def test_waits_that_go_on_count_as_far_as_they_lie_within() -> None:
    its = account(
        offcpu={"7,8,3,4": stats(2, 50)},
        off={
            "8": [1900, 3, 4, 7],
            "10": [500, 2, 2, 7],  # since before the beginning
            "11": [1200, 1, 5, 7],  # woken, and has no CPU yet
            "12": [2500, 1, 5, 7],  # after the end
            "13": [1200, 1, 5, 6],  # of another process
        },
        ready={"0": 0, "11": 1700},
    )
    assert sorted(its.rows) == [
        Row(7, 8, 3, "offcpu", "poll", 3, 150),
        Row(7, 10, 2, "offcpu", "lock", 1, 1000),
        Row(7, 11, 1, "offcpu", "net", 1, 500),
        Row(7, 11, 1, "offcpu", "runnable", 1, 300),
    ]


def test_bytes_and_blocks() -> None:
    its = account(
        bytes={"7,8,3,1": stats(2, 10), "7,8,3,6": stats(1, 4), "7,8,3,3": stats(1, 5)},
        block_ns={"7,8,3": stats(2, 900)},
        block_bytes={"7,8,3": 8192},
        faults={"7,8,3,0": 4, "7,8,3,1": 1},
        migrations={"7,8,-1": 2},
    )
    assert sorted(its.rows) == [
        Row(7, 8, -1, "migration", "", 2),
        Row(7, 8, 3, "block", "", 2, 900, 8192),
        Row(7, 8, 3, "fault", "major", 1),
        Row(7, 8, 3, "fault", "minor", 4),
        Row(7, 8, 3, "read", "file", 2, 0, 10),
        Row(7, 8, 3, "read", "other", 1, 0, 5),
        Row(7, 8, 3, "write", "socket", 1, 0, 4),
    ]


def test_what_found_no_room_is_lost_and_the_sums_are_right() -> None:
    its = account(
        syscalls={"7,8,3,39": stats(5, 60)},
        totals={"7,0": stats(8, 100), "7,1": stats(1, 1)},
        off={"8": [1900, 3, 4, 7]},
    )
    assert Row(7, 0, -1, "syscall", "other", 3, 40) in its.rows
    assert Row(7, 0, -1, "offcpu", "other", 1, 1) in its.rows
    found = parse(f"{line}\n".encode() for line in its.lines(""))
    assert found[7].losses == {"kernel events in no context": 4}
    assert found[7].why == ""
    assert sum(row.events for row in found[7].rows if row.kind == "syscall") == 8


def test_the_account_of_a_tracer_that_died_says_so() -> None:
    found = parse(f"{line}\n".encode() for line in Account({}, 0, 0, [7]).lines("it has died"))
    assert found[7].why == "it has died"
    assert found[7].rows == []


@pytest.mark.skipif(not NUMBERS.exists(), reason="the kernel's headers of x86-64")
def test_numbers_are_those_of_the_kernels_headers() -> None:
    listed = re.findall(r"^#define __NR_(\w+) (\d+)$", NUMBERS.read_text(), re.MULTILINE)
    ours = system_calls._BY_MACHINE["x86_64"]
    assert len(listed) > 300
    known = [(name, int(n)) for name, n in listed if int(n) <= max(ours)]  # newer kernels have more
    assert {n: name for name, n in known if ours.get(n) != name} == {}


def test_the_program_has_no_word_left_to_fill_in() -> None:
    text = source(What(0x40000001, (7,), {8: (7, "poll")}, gils={7: (1, 2)}))
    words = set(re.findall(r"\b[A-Z][A-Z_]{2,}\b", text))
    assert words == {"BEGIN", "END"}


def test_contexts_of_a_process_that_has_become_another_python_are_not_known() -> None:
    its = account(python={"7": 2}, syscalls={"7,8,3,39": stats(5, 60)})
    assert its.rows == [Row(7, 0, -1, "syscall", "getpid", 5, 60)]
    found = parse(f"{line}\n".encode() for line in its.lines(""))
    assert found[7].why.startswith("the process has become another program")
