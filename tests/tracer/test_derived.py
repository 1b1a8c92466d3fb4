# SPDX-License-Identifier: Apache-2.0
"""The probes that pyusdt derives from events, through a real bpftrace."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import DEADLINE, Program, Tracer, argument, json_maps, maps, probe

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

PROGRAM = Path(__file__).parent / "programs/derived.py"
FRAMES = ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"]


def derived(**variables: str) -> Program:
    program = Program(PROGRAM, **variables)
    program.expect("^ready")
    return program


def do(program: Program, command: str) -> None:
    program.send(command)
    program.expect(f"^done {command}$")


def ours(program: Program, probes: str, action: str, *commands: str) -> dict[str, int]:
    """The map's counts after these commands."""
    with Tracer(f"{probes} {{ {action} }}", program.pid) as tracer:
        program.expect_on(*FRAMES)
        for command in commands:
            do(program, command)
        return maps(tracer.finish())


def test_function_done_tells_each_end_once_with_its_outcome() -> None:
    outcome = argument("function__done", 7)
    with derived() as program:
        ends = ours(
            program,
            probe("function__done"),
            f"@[str(arg0, 64), {outcome}] = count();",
            "outcomes",
        )
    assert ends["[fib, 0]"] == 25
    assert ends["[numbers, 1]"] == 5  # 4 + 1 of the one that is closed
    assert ends["[numbers, 0]"] == 1
    assert ends["[fail, 2]"] == 3
    assert ends["[leaf, 1]"] == 7
    assert ends["[leaf, 0]"] == 7
    assert ends["[tasks, 1]"] == 1
    assert ends["[tasks, 0]"] == 1
    assert ends["[outcomes, 0]"] == 1
    # Closing a generator: not all Pythons tell of its end (cpython #140373), none tells it twice.


def test_function_done_tells_the_depth() -> None:
    name = probe("function__done")
    with derived() as program:
        depths = ours(
            program,
            f"{name} {{ @least[str(arg0, 64)] = min(arg4); }} {name}",
            "@[str(arg0, 64)] = max(arg4);",
            "outcomes",
        )
    # <module>, main, outcomes, fib: the stack that was there before the tracer counts, too.
    assert depths["[outcomes]"] == depths["least[outcomes]"] == 3
    assert depths["least[fib]"] == 4
    assert depths["[fib]"] == 4 + 5


def test_times_agree_with_perf_counter() -> None:
    """Within 2 %, in the best of several calls: the machine may be busy during one of them."""
    self_ns = argument("function__done", 6)
    with derived() as program:
        script = (
            f'{probe("function__done")} /str(arg0, 64) == "timed"/ '
            f'{{ printf("%lld %lld\\n", arg5, {self_ns}); }}'
        )
        errors = []
        with Tracer(script, program.pid) as tracer:
            program.expect_on(*FRAMES)
            for _ in range(5):
                program.send("timed")
                truth = program.expect(r"^timed (\d+) (\d+)$")
                told = tracer.expect(r"^(\d+) (\d+)$")
                errors.append(
                    max(abs(int(told[i]) / int(truth[i]) - 1) for i in (1, 2)),
                )
            tracer.finish()
    assert min(errors) < 0.02, errors


def test_function_slow_tells_only_the_slow_ones() -> None:
    with derived(PYUSDT_SLOW_USEC="15000") as program:
        found = ours(
            program,
            probe("function__slow"),
            "@[str(arg0, 64)] = count(); @least = min(arg5);",
            "slowly",
        )
    assert found.pop("least") >= 15_000_000
    assert (found.pop("[slow]"), found.pop("[slowly]")) == (10, 1)
    assert sum(found.values()) <= 2  # of a thousand: the machine may let one wait


def test_function_latency_reports_what_was_suspended_at_its_end() -> None:
    """The first entry counts, and no suspension is left out; others have no latency."""
    with derived() as program:
        ends = ours(
            program,
            probe("function__latency"),
            "@[str(arg0, 64), arg5] = count(); @least[str(arg0, 64)] = min(arg4);",
            "outcomes",
            "sleeps",
        )
    assert ends["[leaf, 0]"] == 7
    assert ends["[tasks, 0]"] == 1
    assert ends["[numbers, 0]"] == 1
    assert ends["[sleeper, 0]"] == 1
    assert ends["least[sleeper]"] >= 20_000_000
    assert not any("fib" in key or "fail" in key for key in ends)


def test_calls_in_threads_are_all_told() -> None:
    with derived() as program:
        found = ours(
            program, probe("function__done"), "@[str(arg0, 64)] = count();", *["in_threads"] * 5
        )
    assert found["[fib]"] == 5 * 3 * 4 * 5


def test_a_stack_entered_before_the_tracer_is_taken_over_but_not_told() -> None:
    with derived() as program:
        program.send("deep")
        program.expect("^deep$")
        with Tracer(
            f"{probe('function__done')} {{ @[str(arg0, 64)] = max(arg4); }}", program.pid
        ) as tracer:
            program.expect_on(*FRAMES)
            program.send("go")
            program.expect("^done deep$")
            found = maps(tracer.finish())
    assert found["[fast]"] == 2 + 21 + 1
    assert "[deep]" not in found


def test_gc_tells_of_each_collection() -> None:
    # No event goes on for these two: the word to wait for is that of their neighbours.
    script = (
        f"{probe('LINE')} {{ @lines = count(); }}"
        f"{probe('gc__begin')} {{ @begin[arg0] = count(); }} "
        f"{probe('gc__end')} {{ @end[arg0] = count(); @longest = max(arg3); }}"
        f"{probe('PY_START')} {{ @starts = count(); }}"
    )
    with derived() as program, Tracer(script, program.pid, "-f", "json") as tracer:
        program.expect_on("PY_START", "LINE")
        do(program, "collect")
        found = json_maps(tracer.finish())
    begin, end = found["@begin"], found["@end"]
    assert isinstance(begin, dict)
    assert begin == end
    assert begin["2"] >= 2
    assert begin["1"] >= 1
    assert int(str(found["@longest"])) > 0


def test_code_new_tells_each_function_to_each_tracer_that_attaches() -> None:
    told = '@id[str(arg2, 64)] = max(arg0); printf("told %s\\n", str(arg2, 64));'
    script = (
        f"{probe('code__new')} {{ {told} }}"
        f"{probe('PY_START')} {{ @start[str(arg4, 64)] = max(arg5); }}"
    )
    with derived() as program:
        for _ in range(2):
            with Tracer(script, program.pid) as tracer:
                program.expect_on("PY_START")
                do(program, "make")
                do(program, "make")
                # Told when first seen, and again and again while somebody watches.
                for name in ("same", "make", *(f"made_{i}" for i in range(5))):
                    tracer.expect(f"^told {name}$")
                found = maps(tracer.finish())
            program.expect_off()
            for i in range(5):
                assert found[f"id[made_{i}]"] == found[f"start[made_{i}]"]


def test_code_new_alone_costs_a_function_one_event() -> None:
    script = f"{probe('code__new')} {{ @[str(arg2, 64)] = count(); }}"
    with derived() as program, Tracer(script, program.pid) as tracer:
        program.expect_on("PY_START")
        do(program, "slowly")
        # The sites that went silent are armed again for the second tracer.
        with Tracer(f"{probe('LINE')}, {probe('PY_START')} {{ @ = count(); }}") as second:
            program.expect_on("PY_START", "LINE")
            do(program, "slowly")
            assert maps(second.finish())[""] > 1000
        found = maps(tracer.finish())
    # Not a million times: once, and with all others once a second.
    assert all(1 <= found[f"[{name}]"] < DEADLINE for name in ("fast", "slow", "slowly"))


def test_code_new_tells_a_second_tracer_too() -> None:
    """Which raises no semaphore: that is up already."""
    script = f'{probe("code__new")} {{ printf("told %s\\n", str(arg2, 64)); }}'
    with derived() as program, Tracer(script, program.pid) as first:
        program.expect_on("PY_START")
        do(program, "make")
        first.expect("^told make$")
        with Tracer(script, program.pid) as second:
            second.expect("^told make$")
            second.finish()
        first.finish()
