# SPDX-License-Identifier: Apache-2.0
"""The batch: nothing is lost, told twice or out of order, through a real bpftrace."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from harness import Program, Tracer, maps, probe

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

PROGRAM = Path(__file__).parent / "programs/batch.py"
FRAMES = ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"]
SLACK_NS = 1_000_000
# The layout as include/pyusdt_batch.h documents it.
EACH_RECORD = (
    "$r = arg0; $end = arg0 + 32 * arg1; unroll(64) {{ if ($r < $end) {{ {} }} $r = $r + 32; }}"
)
PRINT = (
    f"{probe('events')} {{ @traps = count(); @records = sum(arg1); "
    + EACH_RECORD.format(
        'printf("record %llu %llu %llu %d %d %d %d %d\\n", *(uint64*)uptr($r),'
        " *(uint64*)uptr($r + 24), *(uint64*)uptr($r + 8) >> 32,"
        " *(uint32*)uptr($r + 8), *(uint32*)uptr($r + 16), *(int32*)uptr($r + 20), pid, tid);"
    )
    + f'}} {probe("code__new")} {{ printf("code %d %s\\n", arg0, str(arg2, 64)); }}'
)
COUNT = (
    f"{probe('events')} {{ @traps[pid] = count(); @records[pid] = sum(arg1); "
    + EACH_RECORD.format("@kind[pid, *(uint64*)uptr($r + 8) >> 32] = count();")
    + "}"
)


class Record(NamedTuple):
    """A record as a script prints it, and who hit the probe."""

    time_ns: int
    serial: int
    kind: int
    id: int
    tid: int
    line: int
    pid: int
    teller: int


def records(text: str) -> list[Record]:
    lines = re.findall(r"^record (.*)$", text, re.MULTILINE)
    return [Record(*map(int, line.split())) for line in lines]


def names(text: str) -> dict[int, str]:
    found = re.findall(r"^code (\d+) (.*)$", text, re.MULTILINE)
    return {int(number): name for number, name in found}


def by_thread(found: list[Record]) -> dict[int, list[Record]]:
    """And each thread's are whole, and in order."""
    threads = defaultdict(list)
    for record in found:
        threads[record.tid].append(record)
    for ours in threads.values():
        ours.sort(key=lambda record: record.serial)  # 0.17 has a buffer for each processor
        assert [record.serial for record in ours] == list(range(1, len(ours) + 1))
        times = [record.time_ns for record in ours]
        assert times == sorted(times)
    return threads


def batch(**variables: str) -> Program:
    program = Program(PROGRAM, **variables)
    program.expect("^ready")
    return program


def heard(tracer: Tracer, n: int) -> list[Record]:
    """The first n records: bpftrace drops at Ctrl-C what it has not printed."""
    return records("\n".join(tracer.expect(r"^record .*$")[0] for _ in range(n)))


def do(program: Program, command: str) -> None:
    program.send(command)
    program.expect(f"^done {command.split()[0]}$")


def test_all_that_happens_is_told_in_order() -> None:
    with batch() as program, Tracer(PRINT, program.pid) as tracer:
        program.expect_on(*FRAMES)
        do(program, "mixed")
        assert program.wait() == 0
        tracer.expect(rf"^record \d+ \d+ 3 \d+ {program.pid} 1 ")  # the end of its module
        tracer.finish()
        known = names(tracer.output)
        (ours,) = by_thread(records(tracer.output)).values()
    expected = re.findall(r"^expected (.*)$", program.output, re.MULTILINE)
    begin, end = map(int, re.findall(r"^times (\d+) (\d+)$", program.output, re.MULTILINE)[0])
    told = [f"{r.kind} {known[r.id]} {r.line}" for r in ours]
    first = told.index(expected[0])
    inside = ours[first : first + len(expected)]
    assert told[first : first + len(expected)] == expected
    assert {kind[0] for kind in expected} == set("012345")
    assert begin - SLACK_NS <= inside[0].time_ns <= inside[-1].time_ns <= end + SLACK_NS
    assert {r.tid for r in ours} == {r.pid for r in ours} == {program.pid}


def test_counts_are_exact_and_traps_few() -> None:
    with batch() as program, Tracer(COUNT, program.pid) as tracer:
        program.expect_on(*FRAMES)
        do(program, "calls 100003")
        assert program.wait() == 0
        found = maps(tracer.finish())
    pid = program.pid
    # The command itself is one call, and the program ends by leaving main() and its module.
    assert 100_004 <= found[f"kind[{pid}, 0]"] <= 100_050
    assert found[f"records[{pid}]"] >= 200_008
    assert found[f"traps[{pid}]"] <= found[f"records[{pid}]"] / 64 * 1.5


def test_what_waits_is_told_while_the_program_does_nothing() -> None:
    with batch(PYUSDT_ONLY="__main__:leaf") as program:
        with Tracer(PRINT, program.pid) as tracer:
            program.expect_on(*FRAMES)
            do(program, "calls 5")
            found = heard(tracer, 10)
            tracer.finish()
        assert program.wait() == 0
    assert {r.tid for r in found} == {program.pid}
    assert program.pid not in {r.teller for r in found}  # the watcher is


def test_short_threads_are_told_whole() -> None:
    with batch(PYUSDT_ONLY="__main__:leaf") as program:
        with Tracer(PRINT, program.pid) as tracer:
            program.expect_on(*FRAMES)
            for _ in range(4):
                do(program, "threads 7 3")
            found = heard(tracer, 4 * 7 * 6)
            tracer.finish()
        assert program.wait() == 0
    assert [[r.kind for r in ours] for ours in by_thread(found).values()] == [[0, 3] * 3] * 28


def test_threads_at_once_lose_nothing() -> None:
    """More than a tracer could print: it looks at the serial numbers itself."""
    count = EACH_RECORD.format(
        "$t = *(uint32*)uptr($r + 16); $s = *(uint64*)uptr($r + 24);"
        " if ($s != @serial[$t] + 1) { @gaps = count(); } @serial[$t] = $s;"
        " if ((*(uint64*)uptr($r + 8) >> 32) == 0) { @starts[$t] = count(); }"
    )
    script = f"{probe('events')} {{ {count} }}"
    with batch(PYUSDT_ONLY="__main__:leaf") as program, Tracer(script, program.pid) as tracer:
        program.expect_on(*FRAMES)
        do(program, "threads 8 5000")
        assert program.wait() == 0
        found = maps(tracer.finish())
    assert found.get("gaps", 0) == 0
    starts = [n for key, n in found.items() if key.startswith("starts[")]
    serials = [n for key, n in found.items() if key.startswith("serial[")]
    assert starts == [5000] * 8
    assert serials == [10_000] * 8


def test_a_fork_tells_nothing_twice_and_loses_nothing() -> None:
    """No look of a watcher comes in between: what the parent had noted is with it when it forks."""
    with Tracer(COUNT) as tracer:
        with batch(PYUSDT_CHECK_MSEC="10000", PYUSDT_ONLY="__main__:leaf") as program:
            do(program, "fork 10")
            do(program, "calls 3")
            assert program.wait() == 0
        found = maps(tracer.finish())
    # Told once: 10 + 3 calls in the parent, 30 in a hook and 11 in the child.
    starts = {key: n for key, n in found.items() if key.startswith("kind[") and key.endswith(" 0]")}
    assert starts.pop(f"kind[{program.pid}, 0]") == 13
    assert 41 in starts.values()  # a program that is not of this test may be heard, too


def test_the_end_of_a_program_tells_the_rest() -> None:
    with Tracer(COUNT) as tracer:
        with batch(PYUSDT_CHECK_MSEC="10000", PYUSDT_ONLY="__main__:leaf") as program:
            do(program, "calls 23")
            assert program.wait() == 0
        found = maps(tracer.finish())
    assert found[f"records[{program.pid}]"] == 46
    assert found[f"traps[{program.pid}]"] == 1


def test_what_a_filter_rejects_is_not_in_it() -> None:
    with batch(PYUSDT_ONLY="__main__:leaf") as program, Tracer(COUNT, program.pid) as tracer:
        program.expect_on(*FRAMES)
        do(program, "calls 1000")
        do(program, "mixed")
        assert program.wait() == 0
        found = maps(tracer.finish())
    # mixed() calls it 23 times.
    assert found[f"records[{program.pid}]"] == 2 * 1023


def test_a_tracer_that_comes_later_begins_anew() -> None:
    with batch(PYUSDT_ONLY="__main__:leaf") as program:
        for _ in range(2):
            with Tracer(PRINT, program.pid) as tracer:
                program.expect_on(*FRAMES)
                do(program, "calls 100")
                found = heard(tracer, 200)
                tracer.finish()
            assert len(by_thread(found)) == 1
            program.expect_off()
            do(program, "calls 1000")
        assert program.wait() == 0


@pytest.mark.parametrize("others", [["PY_START", "function__done"], ["code__new", "gc__begin"]])
def test_others_beside_it_take_nothing_away(others: list[str]) -> None:
    """Then the callbacks are not those for batches alone; and where code__new has heard of a
    function, its starts go on."""
    counts = " ".join(f"{probe(name)} {{ @{name}[pid] = count(); }}" for name in others)
    with Tracer(f"{COUNT} {counts}") as tracer:
        with batch(PYUSDT_ONLY="__main__:leaf") as program:
            do(program, "calls 1000")
            assert program.wait() == 0
        found = maps(tracer.finish())
    assert found[f"records[{program.pid}]"] == 2000
    for name in {"PY_START", "function__done"} & set(others):
        assert found[f"{name}[{program.pid}]"] == 1000
