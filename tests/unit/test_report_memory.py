# SPDX-License-Identifier: Apache-2.0
"""`pyusdt report --memory` and `--leaks`: figures, orders, what is refused, what nothing says."""

import argparse
import re
from dataclasses import replace

import pytest
from memory_recordings import (
    GIVEN_UP,
    KEPT,
    LEAK,
    LIST,
    MAIN,
    NATIVE,
    TEXT,
    THREAD,
    WORKER,
    held,
)
from recordings import HOSTILE, hostile, snapshot, snapshot_of
from rich.cells import cell_len

from pyusdt.commands import report as command
from pyusdt.errors import UserError
from pyusdt.memory import SAMPLE_BYTES
from pyusdt.recording import Process, Recording, write
from pyusdt.recording import held as held_rows
from pyusdt.recording.memory import MemoryFigures, MemoryRow
from pyusdt.report import order
from pyusdt.report.amounts import Amounts, figure_of, looks
from pyusdt.report.leaks import Leak, leaks
from pyusdt.report.sparks import over_time
from pyusdt.report.text import size

pytestmark = pytest.mark.apart


def run(*words):
    parser = argparse.ArgumentParser()
    command.declare(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def shown(tmp_path, monkeypatch, capfdbinary):
    """shown(snapshot, *words): the lines of the report, cells parted by |."""
    monkeypatch.setenv("COLUMNS", "200")

    def lines(data, *words):
        path = tmp_path / "in.pyusdt"
        write(path, data, process=Process(0, 4711))
        assert run(path, *words) == 0
        out = capfdbinary.readouterr().out.decode().replace(str(path), "FILE")
        return [re.sub(r"  +", "|", line.strip()) for line in out.splitlines()]

    return lines


def refused(tmp_path, data, *words):
    path = tmp_path / "in.pyusdt"
    write(path, data)
    with pytest.raises(UserError) as e:
        run(path, *words)
    assert "\n" not in str(e.value)
    return str(e.value).replace(str(path), "FILE"), e.value.code


def test_the_table_has_what_was_allocated_and_held(shown):
    lines = shown(held(), "--memory")
    assert lines == [
        "FILE|1 process, 2 threads, 100 ns, 150 ns in functions",
        "memory 4.12 MB at peak|allocated 4.19 MB in 139 blocks|live 180 kB in 117 blocks"
        "|temporary 4.01 MB",
        "process 4711|RSS peak 40.0 MB|10.0 MB ▁▃▆█▁ 12.0 MB",
        "every block that Python's allocators, malloc() and mmap() handed out",
        "",
        "at peak|of peak|allocated|live|temporary|blocks|biggest|function",
        "4.05 MB|98.4%|4.12 MB|113 kB|4.01 MB|121|4.00 MB|work|app|app.py:6",
        "65.5 kB|1.6%|65.5 kB|65.5 kB|0 B|1|65.5 kB|(native)|threads without Python",
        "600 B|0.0%|700 B|400 B|100 B|7|100 B|(outside of functions)",
        "500 B|0.0%|3.00 kB|920 B|0 B|9|920 B|list.append|builtins|C",
        "56 B|0.0%|56 B|56 B|0 B|1|56 B|main|app|app.py:1",
    ]


OF_FUNCTIONS = {
    "work": TEXT.plus(LEAK).plus(WORKER),
    "list.append": LIST,
    "main": KEPT,
    "(native)": NATIVE,
    "(outside of functions)": THREAD,
    "small": GIVEN_UP,
}


@pytest.mark.parametrize("by", order.MEMORY)
def test_every_order_is_that_of_its_column(shown, by):
    lines = shown(held(given_up=True), "--memory", "--sort", by)
    heading = lines.index(next(line for line in lines if line.endswith("|function")))
    cells = [line.split("|") for line in lines[heading : heading + 1 + len(OF_FUNCTIONS)]]
    column = cells[0].index("at peak" if by == "peak" else by)
    assert cells[0][column + 1] == f"of {by}"
    names = [next(cell for cell in row if cell in OF_FUNCTIONS) for row in cells[1:]]
    figures = [figure_of(OF_FUNCTIONS[name], by) for name in names]
    assert figures == sorted(figures, reverse=True)
    texts = [f"{n:,}" if by == "blocks" else size(n) for n in figures]
    assert [row[column] for row in cells[1:]] == texts


def test_top_says_how_many_more_there_are(shown):
    lines = shown(held(), "--memory", "--top", "2")
    assert lines[-1] == "3 more functions: --top 5"
    assert [line.split("|")[7] for line in lines[6:8]] == ["work", "(native)"]


def test_the_tree_has_all_below_a_call(shown):
    lines = shown(held(1000), "--memory", "--tree", "--sort", "allocated")
    cells = [line.split("|")[1:3] + line.split("|")[6:8] for line in lines[6:]]
    assert cells == [
        ["4.11 GB", "97.9%", "4.00 GB", "MainThread"],
        ["4.11 GB", "97.9%", "4.00 GB", "└─main"],
        ["4.11 GB", "97.9%", "4.00 GB", "└─work"],
        ["3.00 MB", "0.1%", "920 kB", "└─… 1 more"],
        ["20.7 MB", "0.5%", "1.00 MB", "worker-1"],
        ["20.0 MB", "0.5%", "1.00 MB", "└─work"],
        ["65.5 MB", "1.6%", "65.5 MB", "(native)"],
    ]


def test_lines_have_their_source(shown):
    lines = shown(held(), "--memory", "--lines=work", "--full")
    assert lines[5] == "app:work|app.py:6|at peak 4.05 MB, allocated 4.11 MB, live 104 kB"
    assert lines[7:] == [
        "6|def work(kept):",
        "7|4.00 MB|98.7%|4.00 MB|0 B|4.00 MB|1|4.00 MB|text = bytes(4_000_000)",
        "8|for i in range(100):",
        "9|52.1 kB|1.3%|106 kB|104 kB|0 B|109|1.03 kB|kept.append(bytes(1000))",
    ]


def test_leaks_have_their_context_and_line(shown):
    recording = Recording.from_snapshot(held())
    assert leaks(recording) == (
        [
            Leak((0, 1), 9, LEAK),
            Leak((held_rows.NATIVE,), 0, NATIVE),
            Leak((1,), 0, WORKER),
            Leak((0, 1, 2), 9, LIST),
            Leak((held_rows.OUTSIDE,), 0, THREAD),
            Leak((0,), 2, KEPT),
        ],
        6,
    )
    assert leaks(recording, 1) == ([Leak((0, 1), 9, LEAK)], 6)
    lines = shown(held(), "--leaks", "--top", "1")
    assert lines[5:] == [
        "live|of live|blocks|allocated|allocated by ← called by",
        "103 kB|57.3%|100|103 kB|work|app|app.py:6",
        "app.py:9|kept.append(bytes(1000))",
        "← main|app|app.py:1",
        "5 more contexts: --top 6",
    ]


def test_leaks_without_lines_say_how_to_have_them(shown):
    lines = shown(held(lines=False), "--leaks")
    assert lines[-1] == "lines are known where they were recorded: --lines PATTERNS"


def test_a_deep_recursion_is_shown_by_its_last_callers(shown):
    n = 5000
    data = snapshot_of(
        threads=[(1, "t", n)],
        functions=[(1, "m", "f", "f", "/f.py", 1)],
        nodes=[(0, i, i - 1, 1, 1, 0, 0, n - i, 1) for i in range(n)],
    )
    data = replace(data, memory=[MemoryRow(0, n - 1, 1, 0, -1, LEAK)], memory_kinds="all")
    lines = shown(data, "--leaks")
    assert lines.count("← f|m|/f.py:1") == 20
    assert lines[-2] == f"← … {n - 21:,} more callers"
    assert "2… " not in lines[-2]
    assert shown(data, "--memory", "--tree")[-1].endswith("… 1 more")


FREED = MemoryFigures(100, 1, 100, 1, 100, 1, 100, 1, 100)


def of_main(figures, kinds="all"):
    rows = [MemoryRow(0, 0, MAIN, 0, -1, figures)] if figures else []
    return replace(held(lines=False), memory=rows, memory_kinds=kinds)


def test_nothing_alive_is_said(shown):
    assert shown(of_main(FREED), "--leaks")[-1] == "nothing that was allocated is alive at the end"
    lines = shown(of_main(FREED, "sampled"), "--leaks")
    assert lines[-1] == "no sample of what was allocated is alive at the end"


def test_what_is_empty_says_why(tmp_path):
    why = "FILE: memory was not recorded; pyusdt -o FILE --memory PROGRAM records it"
    for words in (["--memory"], ["--leaks"], ["--memory", "--tree"]):
        assert refused(tmp_path, snapshot(), *words) == (why, 1)
    nothing = "FILE: nothing was allocated, or filters have left nothing"
    assert refused(tmp_path, of_main(None), "--memory") == (nothing, 1)
    sampled = "FILE: nothing was allocated by what a sample met, or filters have left nothing"
    assert refused(tmp_path, of_main(None, "sampled"), "--memory") == (sampled, 1)
    lines, code = refused(tmp_path, held(lines=False), "--memory", "--lines")
    assert code == 1
    assert "no lines recorded" in lines
    data = held()
    none = replace(data, memory=[row for row in data.memory if row.function != MAIN])
    text = "FILE: no line of main has allocated anything"
    assert refused(tmp_path, none, "--memory", "--lines=main") == (text, 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--memory", "--waits"], "one table at a time: --waits or --memory"),
        (["--leaks", "--lines"], "one table at a time: --lines or --leaks"),
        (["--memory", "--tree", "--lines"], "one table at a time"),
        (["--memory", "-f", "csv"], "--memory is for the terminal (-f table), not for csv"),
        (["--leaks", "-f", "json"], "--leaks is for the terminal (-f table), not for json"),
        (["--leaks", "--sort", "peak"], "--leaks are sorted by what is live: leave out --sort"),
        (["--memory", "--sort", "self"], "--sort self does not go with --memory; there are peak"),
        (["--sort", "live"], "--sort live goes with --memory, in the terminal"),
        (["-f", "folded", "--weight", "cpu"], "--weight cpu: CPU and waits were not recorded"),
        (["--memory", "--steps"], "one table at a time: --steps or --memory"),
    ],
)
def test_what_does_not_go_together(tmp_path, words, says):
    text, code = refused(tmp_path, held(), *words)
    assert says in text
    assert code == 2


def test_figures_without_memory_are_asked_for_in_vain(tmp_path):
    for words in (["-f", "csv", "--sort", "peak"], ["-f", "folded", "--weight", "peak"]):
        text, code = refused(tmp_path, snapshot(), *words)
        assert ("memory was not recorded" in text, code) == (True, 2)


def test_the_header_of_other_reports_has_memory_too(shown):
    assert shown(held())[1].startswith("memory 4.12 MB at peak|allocated 4.19 MB in 139 blocks")
    assert not any("memory" in line for line in shown(snapshot()))


def test_each_process_has_its_own_chart(tmp_path, monkeypatch, capfdbinary):
    recording = Recording.from_snapshot(held(), Process(0, 4711))
    recording.processes.append(replace(recording.processes[0], id=1, pid=4712, memory=None))
    recording.resident[1] = recording.resident[0][::-1][:1]
    monkeypatch.setattr(command, "loaded", lambda _: recording)
    write(tmp_path / "in.pyusdt", held())
    monkeypatch.setenv("COLUMNS", "200")
    run(tmp_path / "in.pyusdt", "--memory")
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[2:5] == [
        "process 4711  RSS peak 40.0 MB  10.0 MB ▁▃▆█▁ 12.0 MB",
        "process 4712  RSS peak 40.0 MB",
        "every block that Python's allocators, malloc() and mmap() handed out",
    ]
    assert lines[5] == "1 process without an account of memory"


def test_sampled_figures_are_marked_and_have_the_digits_that_are_known():
    exact, sampled = (Amounts(Recording.from_snapshot(held(kinds=it))) for it in ("all", "sampled"))
    assert exact.bytes(12_345_678) == "12.3 MB"
    assert sampled.bytes(12_345_678) == "~10 MB"  # some 24 samples
    assert sampled.bytes(SAMPLE_BYTES * 200) == "~100 MB"
    assert sampled.bytes(0) == sampled.biggest(0) == "-"
    assert sampled.bytes(100) == "~100 B"
    assert sampled.blocks(1234, SAMPLE_BYTES * 400) == "~1,200"
    assert sampled.biggest(1000) == "≥1.00 kB"
    assert sampled.share(1, 3) == "~30%"
    assert (exact.share(1, 3), exact.blocks(1234, 1)) == ("33.3%", "1,234")
    assert [looks(n) for n in (0, 1, SAMPLE_BYTES, 3 * SAMPLE_BYTES)] == [0, 1, 1, 3]


def test_a_chart_gives_values_the_time_that_they_lasted():
    assert over_time([(0, 5)], 9) == over_time([], 9) == over_time([(3, 1), (3, 2)], 9) == ""
    assert over_time([(0, 4), (10, 8)], 9) == "▁█"
    assert over_time([(0, 8), (1, 8), (2, 8), (100, 1)], 4) == "███▁"
    assert over_time([(0, 0), (5, 0)], 4) == "▁▁"
    assert over_time([(0, 1000), (1, 1010)], 4) == "▇█"
    assert len(over_time([(i, i) for i in range(1000)], 40)) == 40
    assert over_time([(i, i) for i in range(1000)], 8) == "▁▂▃▄▅▆▇█"


def test_sizes():
    assert [size(n) for n in (0, 999, 1000, 999_400, 12_345_678, 5 * 10**9, 10**16, None)] == [
        "0 B", "999 B", "1.00 kB", "999 kB", "12.3 MB", "5.00 GB", "10,000 TB", "",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("words", [["--memory"], ["--memory", "--tree"], ["--leaks"]], ids=str)
def test_hostile_names_stay_in_bounds(tmp_path, monkeypatch, capfdbinary, words, width):
    data = hostile()
    rows = [MemoryRow(0, node.node, node.function, 0, -1, LEAK) for node in data.nodes]
    rows = [row._replace(thread=node.thread) for row, node in zip(rows, data.nodes, strict=True)]
    write(tmp_path / "in.pyusdt", replace(data, memory=rows, memory_kinds="all\x1b[2J"))
    monkeypatch.setenv("COLUMNS", str(width))
    run(tmp_path / "in.pyusdt", "--top", "99", *words)
    text = capfdbinary.readouterr().out.decode()
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    assert max(map(cell_len, text.splitlines())) <= width
    assert "[bold]markup[/bold]" in "".join(text.split()) + HOSTILE[10]
