# SPDX-License-Identifier: Apache-2.0
"""What each verb prints for people at 60, 80 and 200 columns, from a recording with fixed figures.

The files of `terminal/` have been looked at. PYUSDT_TEST_EXPECTED=write writes them anew.
"""

import argparse
import os
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from memory_recordings import held
from recordings import (
    HOSTILE,
    LINED_SOURCE,
    MS,
    charged,
    hostile,
    lined,
    snapshot,
    snapshot_of,
)
from rich.cells import cell_len

from pyusdt.commands.probes import table as probes
from pyusdt.recording import CodeRecord, Process, write
from pyusdt.recording.lines import Source
from pyusdt.report.place import _here, place
from pyusdt.report.text import printable

pytestmark = pytest.mark.apart

EXPECTED = Path(__file__).parent / "terminal"
WIDTHS = (60, 80, 200)
SITE = "/srv/venv/lib/python3.12/site-packages"
FUNCTIONS = [
    (1, "__main__", "<module>", "<module>", "/srv/shop/main.py", 1),
    (2, "app.orders", "OrderService.find_orders_of_customer", "find_orders_of_customer",
     "/srv/shop/app/orders.py", 14),
    (3, "json.encoder", "JSONEncoder.iterencode", "iterencode",
     "/usr/lib/python3.12/json/encoder.py", 205),
    (4, "sqlalchemy.engine.base", "Connection._execute_context", "_execute_context",
     f"{SITE}/sqlalchemy/engine/base.py", 1791),
    (5, "app.feed", "stream.<locals>.lines", "lines", "/srv/shop/app/feed.py", 9),
    (6, "time", "sleep", "sleep", "", 0),
    (7, "app", "work", "work", "/srv/shop/app/__init__.py", 3),
]  # fmt: skip
# A little less than what the histogram has: a percentile is at most the whole of all calls.
LONG = 90 * MS
(LONG_CALL,) = (row[1:] for row in snapshot().histograms if row[0] == 7)


def shop(queries: int = 30, idle: int = 20, noise: int = 0):
    """A program that queries and waits so many milliseconds; two workers, one function each."""
    query, wait = queries * MS + noise * MS // 10, idle * MS
    encode, order = 8 * MS, 12 * MS
    find = query + encode + order
    rest = LONG - find - wait - 5 * MS
    return snapshot_of(
        threads=[(10, "MainThread", LONG), (11, "worker-1", 6 * MS), (12, "worker-2", 4 * MS)],
        functions=FUNCTIONS,
        nodes=[
            (0, 0, -1, 1, 1, 0, 0, LONG, rest),
            (0, 1, 0, 2, 40, 0, 2, find, order),
            (0, 2, 1, 4, 40, 0, 2, query, query),
            (0, 3, 1, 3, 38, 0, 0, encode, encode),
            (0, 4, 0, 5, 2, 1200, 0, 5 * MS, 5 * MS),
            (0, 5, 0, 6, 4, 0, 0, wait, wait),
            (1, 0, -1, 7, 1, 0, 0, 6 * MS, 6 * MS),
            (2, 0, -1, 7, 1, 0, 0, 4 * MS, 4 * MS),
        ],
        histograms=[(1, *LONG_CALL)],
        steps=[
            *(("load orders", "step", i, i, ms * MS, None) for i, ms in enumerate((20, 40, 30))),
            ("queue length", "mark", 3, 3, None, 42),
        ],
    )


# A text with an escape, wide characters, a tab and a long line.
ODD = "def work(\x1b[2J):\n\tif item < 0:\n\t\traise 日本語\n" + "\tx = " + "1" * 9999 + "\n" * 300
LINED = {
    "lined": lined(),
    "lined-charged": lined(charges=True),
    "lined-odd": replace(lined(), sources={"/srv/lined.py": Source.of("\n" * 5 + ODD)}),
    "lined-missing": replace(lined(), sources={}),
}
MEMORY = {
    "memory": held(),
    "memory-more": held(2),
    "memory-sampled": held(7, kinds="sampled", given_up=True),
    "memory-sampled-more": held(900, kinds="sampled"),
}
CHARGED = {
    "charged": charged(),
    "kernel": charged(kernel=True),
    "sampled": replace(charged(), times="sampled", histograms=[]),
}


def sampled_run(work: int, idle: int):
    """A run of charged() with so many ms of CPU time in `work`, and of waiting in the worker."""
    data = charged()
    rows = [
        row._replace(ns=work * MS, samples=work)
        if (row.node, row.kind) == (1, "user")
        else row._replace(ns=idle * MS, samples=idle)
        if row.kind == "lock"
        else row
        for row in data.charges
    ]
    nodes = [
        node._replace(elapsed_ns=2000 * MS, self_ns=1000 * MS)
        if node.function in (1, 2, 5)
        else node
        for node in data.nodes
    ]
    return replace(data, charges=rows, nodes=nodes)


def lined_run(charges: bool, more: int = 0, noise: int = 0):
    """A run of lined() with some ms more in line 9, which then stands two lines lower, and line 10
    has another text."""
    data = lined(charges=charges)
    if not more:
        return data
    text = LINED_SOURCE.replace("def work", "# about\n# work\ndef work").replace(
        "return t", "return -t"
    )
    ns = (more + noise) * MS

    def moved(row):
        return row._replace(line=row.line + 2) if row.line > 5 else row

    lines = [
        row._replace(self_ns=row.self_ns + ns, hits=row.hits * 2) if row.line == 9 else row
        for row in data.lines
    ]
    charged_rows = [
        row._replace(ns=row.ns + ns, samples=row.samples + more) if row.line == 9 else row
        for row in data.charges
    ]
    functions = [f._replace(line=f.line + 2) if f.line > 5 else f for f in data.functions]
    return replace(
        data,
        lines=[*map(moved, lines)],
        charges=[*map(moved, charged_rows)],
        functions=functions,
        sources={"/srv/lined.py": Source.of(text)},
    )


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A directory with recordings."""
    directory = tmp_path_factory.mktemp("recordings")
    made = {"shop": shop(), "hostile": hostile(), **CHARGED, **LINED, **MEMORY}
    for i in range(3):
        made[f"before{i}"] = shop(noise=i)
        made[f"after{i}"] = shop(queries=15, idle=40, noise=i)
        made[f"cpu-before{i}"] = sampled_run(200 + i, 300)
        made[f"cpu-after{i}"] = sampled_run(500 + i, 900)
        for kind in ("lined", "lined-cpu"):
            made[f"{kind}-before{i}"] = lined_run(kind != "lined")
            made[f"{kind}-after{i}"] = lined_run(kind != "lined", 40, i)
    for name, data in made.items():
        write(str(directory / f"{name}.pyusdt"), data, process=Process(0, 4711, 1))
    return directory


@pytest.fixture
def terminal(recordings, monkeypatch, capfdbinary):
    """terminal(width, verb, *words): what it prints, in that directory."""
    monkeypatch.chdir(recordings)

    def run(width, verb, *words):
        monkeypatch.setenv("COLUMNS", str(width))
        command = import_module(f"pyusdt.commands.{verb}")
        parser = argparse.ArgumentParser()
        command.declare(parser)
        assert command.run(parser.parse_args(words)) == 0
        return capfdbinary.readouterr().out.decode()

    return run


def check(name, width, text):
    path = EXPECTED / f"{name}-{width}.txt"
    if os.environ.get("PYUSDT_TEST_EXPECTED") == "write":
        path.write_text(text)
    assert text == path.read_text()
    assert max(map(len, text.splitlines())) <= width


COMPARED = ["before0.pyusdt", "before1.pyusdt", "before2.pyusdt", "--to",
            "after0.pyusdt", "after1.pyusdt", "after2.pyusdt"]  # fmt: skip
CPU_COMPARED = [word if word == "--to" else f"cpu-{word}" for word in COMPARED]
LINED_COMPARED, LINED_CPU_COMPARED = (
    [word if word == "--to" else f"{kind}-{word}" for word in COMPARED]
    for kind in ("lined", "lined-cpu")
)
CASES = {
    "report": ["report", "shop.pyusdt"],
    "report-errors": ["report", "shop.pyusdt", "--sort", "errors", "--top", "3"],
    "report-tree": ["report", "shop.pyusdt", "--tree"],
    "report-threads": ["report", "shop.pyusdt", "--tree", "--threads"],
    "report-steps": ["report", "shop.pyusdt", "--steps"],
    "charged": ["report", "charged.pyusdt", "--threads"],
    "charged-gil": ["report", "charged.pyusdt", "--sort", "gil", "--top", "2"],
    "charged-tree": ["report", "charged.pyusdt", "--tree"],
    "charged-waits": ["report", "charged.pyusdt", "--waits"],
    "charged-modules": ["report", "charged.pyusdt", "--modules"],
    "kernel": ["report", "kernel.pyusdt"],
    "kernel-waits": ["report", "kernel.pyusdt", "--waits"],
    "sampled": ["report", "sampled.pyusdt"],
    "lined": ["report", "lined.pyusdt", "--lines"],
    "lined-charged": ["report", "lined-charged.pyusdt", "--lines=work"],
    "lined-odd": ["report", "lined-odd.pyusdt", "--lines=work"],
    "lined-missing": ["report", "lined-missing.pyusdt", "--lines=lined.py"],
    "lined-compare": ["compare", *LINED_COMPARED, "--lines", "--fail-above", "900%"],
    "lined-compare-cpu": ["compare", *LINED_CPU_COMPARED, "--lines=work"],
    "memory": ["report", "memory.pyusdt", "--memory"],
    "memory-live": ["report", "memory-sampled.pyusdt", "--memory", "--sort", "live"],
    "memory-tree": ["report", "memory.pyusdt", "--memory", "--tree"],
    "memory-lines": ["report", "memory.pyusdt", "--memory", "--lines"],
    "memory-leaks": ["report", "memory.pyusdt", "--leaks"],
    "memory-times": ["report", "memory.pyusdt"],
    "memory-compare": ["compare", "memory.pyusdt", "memory-more.pyusdt", "--memory"],
    "memory-compare-sampled": [
        "compare",
        "memory-sampled.pyusdt",
        "memory-sampled-more.pyusdt",
        "--memory",
        "--sort",
        "blocks",
    ],
    "memory-compare-times": ["compare", "memory.pyusdt", "memory.pyusdt"],
    "compare": ["compare", *COMPARED, "--fail-above", "10%"],
    "compare-cpu": ["compare", *CPU_COMPARED, "--fail-above", "500%"],
    "compare-one": ["compare", "before0.pyusdt", "after0.pyusdt", "--fail-above", "10%"],
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CASES)
def test_recordings(terminal, name, width):
    text = terminal(width, *CASES[name])
    check(name, width, text)
    if (
        "steps" not in name
        and "cpu" not in name
        and name.partition("-")[0] not in {*CHARGED, "lined", "memory"}
    ):
        assert "OrderService.find_orders_of_customer" in "".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_status(terminal, width, monkeypatch):
    status = {
        "python": "3.12.1", "watcher": "running", "dormant": "", "tool_id": 4,
        "probes_watched": ["function__done", "mark"], "only": "app", "exclude": "",
        "events_on": ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"],
        "recorded": ["inside"], "probes_fired": {"function__done": 1_234_567, "mark": 3},
        "losses": {}, "check_msec": 100,
        "sampler": {"interval_usec": 5000, "share": 0.0123, "threads": 3, "looks": 4711},
    }  # fmt: skip
    idle = {**status, "probes_watched": [], "events_on": [], "recorded": [], "only": "",
            "tool_id": None, "probes_fired": {}, "sampler": None}  # fmt: skip
    found = SimpleNamespace(statuses={4_194_302: status, 4_194_303: idle}, problems=[], hidden=0)
    module = import_module("pyusdt.commands.status")
    monkeypatch.setattr(module, "find_all", lambda: found)
    commands = {4_194_302: "python -m shop.server --port 8080 --workers 4 --log-level=debug",
                4_194_303: "python worker.py"}  # fmt: skip
    monkeypatch.setattr(module.proc, "command_of", commands.__getitem__)
    check("status", width, terminal(width, "status"))


@pytest.mark.parametrize("width", WIDTHS)
def test_probes(terminal, width, monkeypatch):
    """The table changes with the probes: a few of them are enough."""
    module = import_module("pyusdt.commands.probes")
    few = [p for p in probes() if p.name in ("PY_START", "C_RAISE", "gc__begin", "line")]
    monkeypatch.setattr(module, "table", lambda: few)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    check("probes", width, terminal(width, "probes"))


@pytest.mark.parametrize("words", [*CASES.values(), ["probes"]], ids=" ".join)
def test_no_colour_is_no_escape_at_all(terminal, words, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1m" in terminal(80, *words)
    monkeypatch.setenv("NO_COLOR", "")  # as if it were not there: no-color.org
    assert "\x1b[1m" in terminal(80, *words)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in terminal(80, *words)


@pytest.mark.parametrize("columns", ["0", "", "eighty", "1", "9" * 30])
def test_any_columns(terminal, columns):
    assert "OrderService.find_orders" in terminal(columns, "report", "shop.pyusdt")


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("options", [[], ["--tree"], ["--steps"]], ids=str)
def test_hostile_names_stay_whole_and_in_bounds(terminal, width, options):
    text = terminal(width, "report", "hostile.pyusdt", "--top", "99", *options)
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    assert max(map(cell_len, text.splitlines())) <= width
    joined = "".join(text.split())
    for name in HOSTILE:
        assert "".join(printable(name, 100).split()) in joined


@pytest.mark.parametrize(
    ("module", "file", "line", "expected"),
    [
        ("time", "", 0, "C"),
        ("app.io", "/srv/x/app/io.py", 3, "app/io.py:3"),
        ("app", "/srv/x/app/__init__.py", 3, "app/__init__.py:3"),
        ("__main__", "/srv/x/run.py", 3, "/srv/x/run.py:3"),
        ("rich.console", f"{SITE}/rich/console.py", 9, "rich/console.py:9"),
        ("apt", "/usr/lib/python3/dist-packages/apt/cache.py", 9, "apt/cache.py:9"),
        ("json", "/usr/lib64/python3.13t/json/__init__.py", 9, "json/__init__.py:9"),
        ("app", "HERE/src/app.py", 9, "src/app.py:9"),
        ("rich", "HERE/.venv/lib/python3.14/site-packages/rich/a.py", 9, "rich/a.py:9"),
        ("m", "<frozen m>", 9, "<frozen m>:9"),
        ("", "/a.py", 1, "/a.py:1"),
        ("m", "a\nb.py", 1, "a\\nb.py:1"),
    ],
)
def test_places_are_short(tmp_path, monkeypatch, module, file, line, expected):
    monkeypatch.chdir(tmp_path)
    _here.cache_clear()
    record = CodeRecord(module, "f", "f", file.replace("HERE", str(tmp_path)), line)
    assert place(record) == expected
