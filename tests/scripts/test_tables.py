# SPDX-License-Identifier: Apache-2.0
"""The tables of `pyusdt trace`, from what bpftrace prints as data. No root needed."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from scripts.samples import LONG, PID, known, line

from pyusdt.errors import UserError
from pyusdt.tracing.derive import PART_BYTES, derived
from pyusdt.tracing.output import Output
from pyusdt.tracing.scripts import Script, collection, find
from pyusdt.tracing.show import Answer, as_json, render
from pyusdt.tracing.tools import TOOLS
from scripts import samples

pytestmark = pytest.mark.once


def answer(tool: str, lines: list[bytes]) -> Answer:
    output = Output(find(tool), [], as_json=False, everything=False)
    for text in lines:
        output.take(text)
    return Answer(tool, TOOLS[tool], output.maps, 2.0)


def shown(answered: Answer, width: int = 200, *, everything: bool = False) -> str:
    out = io.StringIO()
    render(Console(file=out, width=width), answered, everything=everything)
    return "\n".join(row.rstrip() for row in out.getvalue().splitlines()) + "\n"


CALLS = [
    *known(
        (1, f"{LONG}alpha", "generated.client", 10),
        (2, f"{LONG}beta", "generated.client", 12),
        (3, "handle_order", "__main__", 116),
        (4, "Handle._run", "asyncio.events", 82),
        (5, "EpollSelector.select", "selectors", 451),
    ),
    line(
        "map",
        {
            "@calls": {
                f"generated.client,{LONG[:PART_BYTES]},1": 100,
                f"generated.client,{LONG[:PART_BYTES]},2": 200,
                "__main__,handle_order,3": 1234567,
                "asyncio.events,Handle._run,4": 23,
                "selectors,EpollSelector.select,5": 7,
            }
        },
    ),
]

RAISED = [
    *known((1, "parse_order", "__main__", 75), (2, "_worker", "concurrent.futures.thread", 69)),
    line("map", {"@text": {f"{PID},1,80": 'shop.OrderError: not an order: \'{"number": 12'}}),
    line("map", {"@raised": {"shop.OrderError,__main__,parse_order,80,1": 20}}),
    line(
        "map",
        {
            "@caught": {
                "shop.OrderError,__main__,parse_order,1": 0,
                "_queue.Empty,concurrent.futures.thread,_worker,2": 1003,
                "ValueError,?,<module>,7": 2,
            }
        },
    ),
]

WAITS = [
    *known(
        (1, "wrap_gift", "__main__", 110),
        (2, "receipt_lines", "__main__", 103),
        (3, "render_receipt", "__main__", 98),
        (4, "_worker", "concurrent.futures.thread", 69),
        (5, "Thread.run", "threading", 999),
    ),
    line(
        "map",
        {
            "@waits": {
                "2,wrap_gift,receipt_lines,render_receipt,1,2,3": 17,
                "1,_worker,Thread.run,,4,5,0": 3462,
            }
        },
    ),
    line(
        "map",
        {
            "@time": {
                "2,wrap_gift,receipt_lines,render_receipt,1,2,3": 342949000,
                "1,_worker,Thread.run,,4,5,0": 19914027000,
            }
        },
    ),
]


SAMPLES = {"pycalls": CALLS, "pyexc": RAISED, "pyoffcpu": WAITS}
TABLES = {name: SAMPLES.get(name) or samples.of(name) for name in TOOLS if TOOLS[name].tables}


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("tool", TABLES)
def test_a_table_shows_names_whole_at_every_width(tool: str, width: int) -> None:
    expect(f"{tool}-{width}.txt", shown(answer(tool, TABLES[tool]), width))


@pytest.mark.parametrize("tool", samples.LINES)
def test_the_lines_of_a_tool_that_is_live(tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer(tool, samples.printed(tool))
    expect(f"{tool}.txt", capsys.readouterr().out)


def test_every_tool_has_an_expected_text() -> None:
    assert {*TABLES, *samples.LINES} == {script.name for script in collection()}


def expect(name: str, text: str) -> None:
    """The files of `tables/` have been looked at. PYUSDT_TEST_EXPECTED=write writes them anew."""
    path = Path(__file__).parent / "tables" / name
    if os.environ.get("PYUSDT_TEST_EXPECTED") == "write":
        path.write_text(text)
    assert text == path.read_text()


def test_all_shows_the_machinery_too() -> None:
    text = shown(answer("pycalls", CALLS), everything=True)
    assert "Handle._run  asyncio.events:82" in text
    assert "machinery" not in text


def test_nothing_has_no_headings() -> None:
    assert shown(answer("pynet", [])) == "pynet  2.00 s\nnothing was counted\n"


LATENCY = [
    line("map", {"@ns": {}}),
    line("stats", {"@ns": {"__main__,slow,1": {"count": 18, "average": 1, "total": 36_000_000}}}),
]


@pytest.mark.parametrize("count", ["18", "12"], ids=["decimal", "as 0.27 prints it"])
def test_a_histogram_in_either_base(count: str) -> None:
    bars = b'{"@us": {"__main__,slow,1": [{"min": 2048, "max": 4095, "count": %s}]}}'
    data = b'{"type": "hist", "data": ' + bars % count.encode() + b"}\n"
    assert shown(answer("pylat", [*LATENCY, data])) == (
        "pylat  2.00 s\n"
        "\n"
        "running\n"
        "   time   share  calls  calls/s     mean  function\n"
        "36.0 ms  100.0%     18        9  2.00 ms  slow  __main__\n"
        "\n"
        "slow  __main__\n"
        "     2.05 ms - 4.10 ms         18  ██████████████████████████████\n"
    )


def test_no_name_reaches_the_terminal_as_it_is() -> None:
    name = "\x1b]0;OWNED\x07\u202e\x9b2J\nroot#"
    lines = [
        *known((1, name, "\x1b[31mred", 1)),
        line("map", {"@calls": {f"\x1b[31mred,{name},1": 7, f"{name},{name}, a, b,9": 5}}),
    ]
    text = shown(answer("pycalls", lines))
    assert text.replace("\n", "").isprintable()
    assert "\\x1b]0;OWNED" in text


def test_json_has_the_figures_of_the_table() -> None:
    document = json.loads(as_json(answer("pycalls", CALLS)))
    assert document["tool"] == "pycalls"
    assert document["seconds"] == 2
    assert document["tables"][0]["rows"][0] == {
        "calls": 1234567,
        "calls_per_second": 617283.5,
        "function": {"qualname": "handle_order", "module": "__main__", "line": 116},
    }


def slower(call: str, depth: str = "9 ", ms: str = "20.080") -> bytes:
    return line("printf", "\x1f".join(["05:06:25", "5772", ms, depth, call.replace(" ", "\x1f")]))


@pytest.mark.parametrize("tool", collection(), ids=lambda script: script.name)
def test_each_tool_has_a_table_or_lines(tool: Script) -> None:
    assert TOOLS[tool.name].tables or TOOLS[tool.name].live
    source = derived(tool.source, names=True)
    assert "\nEND\n" not in source
    for table in TOOLS[tool.name].tables:
        for column in table.columns:
            name = column.source.partition(".")[0]
            assert name in source or column.source == "@opens"


def test_lines_come_as_they_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(find("pyslower"), ["10"], as_json=False, everything=False)
    for text in (
        slower("__main__:110 wrap_gift\n"),
        slower("__main__:103 receipt_lines\n", "8+"),
        slower("selectors:451 EpollSelector.select\n"),
        slower("a:1 \x1b[2J\n"),
    ):
        output.take(text)
    output.finish(1.0)
    assert capsys.readouterr().out == (
        "TIME     TID            MS  DEPTH CALL\n"
        "05:06:25 5772       20.080     9  __main__:110 wrap_gift\n"
        "05:06:25 5772       20.080     9  a:1 \\x1b[2J\n"
    )


def test_without_rich_it_ends_before_it_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyusdt.tracing.output.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"tables need rich: .* -f json or --raw"):
        Output(find("pycalls"), [], as_json=False, everything=False)
    Output(find("pycalls"), [], as_json=True, everything=False)


def test_pyopen_counts_paths_that_are_longer_than_a_string(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = "/a/directory/of/a/long/name/that/bpftrace/has/no/room/for/in/one/string/file, one"
    output = Output(find("pyopen"), [], as_json=True, everything=False)
    for fd in ("3", "4", "-2"):
        output.take(line("printf", "\x1f".join(["1", fd, "r", "load", "main", path[:63]])))
        for part in (path[63:], "rubbish", "rubbish\n"):
            output.take(line("printf", f"\x1e{part}"))
    output.finish(2.0)
    document = json.loads(capsys.readouterr().out)
    rows = document["tables"][0]["rows"]
    assert [(row["opens"], row["result"], row["path"]) for row in rows] == [
        (2, "", path),
        (1, "ENOENT", path),
    ]
