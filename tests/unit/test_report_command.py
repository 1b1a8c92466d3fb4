# SPDX-License-Identifier: Apache-2.0
"""`pyusdt report`: what it prints, what it refuses, and that a failure leaves no file."""

import argparse
import os
import re
import subprocess
import sys

import pytest
from recordings import HOSTILE, MS, hostile, snapshot

import pyusdt
from pyusdt.commands import report as command
from pyusdt.errors import UserError
from pyusdt.recording import Snapshot, write
from pyusdt.report import order
from pyusdt.report.text import duration, printable

pytestmark = pytest.mark.apart


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in.pyusdt"
    write(path, snapshot())
    return str(path)


def run(*words):
    parser = argparse.ArgumentParser()
    command.declare(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


def refused(*words):
    with pytest.raises(UserError) as e:
        run(*words)
    assert "\n" not in str(e.value)
    return str(e.value), e.value.code


@pytest.fixture
def shown(capfdbinary):
    def lines(*words):
        assert run(*words) == 0
        out = capfdbinary.readouterr().out.decode()
        return [re.sub(r"  +", "|", line.strip()) for line in out.splitlines()]

    return lines


def test_the_table(file, shown):
    lines = shown(file)
    assert lines == [
        f"{file}|1 process, 2 threads, 100 ms, 150 ms in functions",
        "self|share|total|calls|resumes|p50|p99|errors|function",
        "55.0 ms|36.7%|██▉|55.0 ms|20|2|1.00 ms|4.00 ms|read|app.io|/srv/io.py:20",
        "45.0 ms|30.0%|██▍|50.0 ms|1|50.0 ms|50.0 ms|run|app|app.py:30",
        "40.0 ms|26.7%|██▏|60.0 ms|7|10.0 ms|10.0 ms|1|Parser.parse|app.parser|/srv/parser.py:10",
        "10.0 ms|6.7%|▌|100 ms|1|100 ms|100 ms|main|app|app.py:1",
        "lost: 3 nodes",
    ]


def test_sort_and_top(file, shown):
    lines = shown(file, "--sort", "total", "--top", "2")
    assert [line.split("|")[-3] for line in lines[2:4]] == ["main", "Parser.parse"]
    assert lines[4] == "2 more functions: --top 4"
    names = shown(file, "--sort", "name")[2:6]
    assert [line.split("|")[-3] for line in names] == ["main", "run", "read", "Parser.parse"]


def test_the_help_names_every_order():
    parser = argparse.ArgumentParser()
    command.declare(parser)
    described = parser.epilog.partition("--sort: ")[2].partition("\n\n")[0]
    assert set(re.findall(r"\w+", described)) >= order.SORTS.keys()


def test_tables_that_go_with_nothing_else(file):
    assert refused(file, "--waits", "--tree") == (
        "report: one table at a time: --tree or --waits", 2,
    )  # fmt: skip
    assert refused(file, "--modules", "-f", "csv") == (
        "report: --modules is for the terminal (-f table), not for csv", 2,
    )  # fmt: skip
    assert refused(file, "--weight", "cpu") == ("report: --weight goes with the format folded", 2)
    assert refused(file, "--weight", "cpu", "-f", "folded") == (
        "report: --weight cpu: CPU and waits were not recorded; there are wall", 2,
    )  # fmt: skip


def test_the_tree(file, shown):
    lines = shown(file, "--tree")
    assert [line.split("|")[0] for line in lines[2:7]] == [
        "100 ms", "100 ms", "60.0 ms", "30.0 ms", "10.0 ms",
    ]  # fmt: skip
    assert lines[2].endswith("100.0%|MainThread")
    assert "└─main" in lines[3]


def test_trees_of_very_many_threads_are_not_all_shown(file, shown, monkeypatch):
    monkeypatch.setattr("pyusdt.report.call_tree._THREADS", 1)
    lines = shown(file, "--tree")
    assert [line for line in lines if "thread" in line][1:] == [
        "50.0 ms|… 1 more thread: --thread NAME"
    ]


def test_trees_of_a_large_recording_are_read_late(file, shown, monkeypatch):
    monkeypatch.setattr("pyusdt.recording.reader._FEW_NODES", 0)
    whole = shown(file, "--tree")
    assert "└─main" in whole[3]
    assert shown(file, "--tree", "--process", os.getpid()) == whole
    assert "└─run" in shown(file, "--tree", "--thread", "worker-1")[3]


def test_steps(file, shown):
    lines = shown(file, "--steps")
    assert lines[2] == "2|30.0 ms|14.1 ms|20.0 ms|30.0 ms|39.8 ms|40.0 ms|▁█|load"
    assert lines[4] == "1|state|mark"


def test_filters(file, shown):
    assert [line.split("|")[-3] for line in shown(file, "--only", "app.io")[2:3]] == ["read"]
    both = shown(file, "--only", "app.*:*", "--only", "app:run")[2:-1]
    assert sorted(line.split("|")[-3] for line in both) == ["Parser.parse", "read", "run"]
    assert shown(file, "--only", "app.*:*, app:run")[2:-1] == both
    assert len(shown(file, "--only", "app")[2:-1]) == 4
    rest = shown(file, "--exclude", "app.io, app:main")[2:-1]
    assert not {"read", "main"} & {line.split("|")[-3] for line in rest}
    assert shown(file, "--thread", "worker-*")[2].startswith("45.0 ms")
    assert shown(file, "--thread", "101")[2].startswith("45.0 ms")
    assert len(shown(file, "--process", os.getpid())[2:-1]) == 4


def test_filters_that_match_nothing(file):
    assert refused(file, "--only", "a,") == ("report: --only has an empty pattern", 2)
    assert refused(file, "--only", "nope") == (f"{file}: no function matches --only nope", 1)
    assert refused(file, "--thread", "x") == (
        f"{file}: no thread x; there are MainThread, worker-1", 1,
    )  # fmt: skip
    assert refused(file, "--process", "1") == (
        f"{file}: no process 1; there are {os.getpid()}", 1,
    )  # fmt: skip


def test_hostile_names_cannot_touch_the_terminal(tmp_path, shown):
    path = tmp_path / "in.pyusdt"
    write(path, hostile())
    for options in ([], ["--tree"], ["--steps"]):
        text = "\n".join(shown(path, "--top", len(HOSTILE), *options))
        assert not {c for c in text if not c.isprintable()} - {"\n"}
        assert "</script>" in text
        assert "[bold]markup[/bold] [/]" in text


def test_the_format_follows_the_suffix(file, tmp_path, capsys):
    starts = {
        ".json": b'{"pyusdt"',
        ".folded": b"MainThread;",
        ".csv": b"module",
        ".speedscope.json": b'{"$schema"',
        ".pb.gz": b"\x1f\x8b",
    }
    for suffix, start in starts.items():
        out = tmp_path / f"out{suffix}"
        assert run(file, "-o", out) == 0
        assert out.read_bytes().startswith(start)
        assert capsys.readouterr().out.startswith(f"{out}: ")


def test_an_unknown_suffix_is_a_usage_error(file, tmp_path):
    message, code = refused(file, "-o", tmp_path / "out.jsn")
    assert code == 2
    assert message.startswith(f"{tmp_path}/out.jsn: its suffix names no format (known: .txt, ")
    assert message.endswith("; did you mean '.json'?")
    assert not (tmp_path / "out.jsn").exists()
    assert run(file, "-o", tmp_path / "out.jsn", "--format", "json") == 0


def test_nothing_recorded(tmp_path):
    path = tmp_path / "in.pyusdt"
    write(path, Snapshot())
    assert refused(path, "-o", tmp_path / "out.json") == (
        f"{path}: nothing recorded, or left by filters", 1,
    )  # fmt: skip
    assert os.listdir(tmp_path) == ["in.pyusdt"]
    only_calls = snapshot()
    only_calls.steps = []
    write(path, only_calls, reason=None)
    message = f"{path}: no steps and no marks recorded, or left by filters"
    assert refused(path, "--steps") == (message, 1)


def test_a_failure_leaves_what_was_there(file, tmp_path, monkeypatch):
    out = tmp_path / "out.json"
    out.write_text("before")

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyusdt.report.json.write", fail)
    assert refused(file, "-o", out) == (f"{out}: cannot write: no space left on device", 1)
    assert out.read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["in.pyusdt", "out.json"]


def test_a_full_device_and_a_missing_directory(file, tmp_path):
    assert refused(file, "-o", "/dev/full", "--format", "csv") == (
        "/dev/full: cannot write: no space left on device", 1,
    )  # fmt: skip
    out = tmp_path / "no" / "out.csv"
    assert refused(file, "-o", out) == (f"{out}: cannot write: no such file or directory", 1)


def test_a_link_is_followed_and_kept(file, tmp_path):
    (tmp_path / "real.csv").touch()
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert run(file, "-o", tmp_path / "link.csv") == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").stat().st_size > 100


def test_binary_is_not_for_a_terminal(file, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    message, code = refused(file, "--format", "pstats")
    assert (message, code) == ("report: pstats is binary: give -o FILE.pstats", 2)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, ""),
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (12_345, "12.3 µs"),
        (MS - 1, "1.00 ms"),
        (123 * MS, "123 ms"),
        (90_000 * MS, "90.0 s"),
        (3_600_000 * MS, "3,600 s"),
        (-12_345, "-12.3 µs"),
    ],
)
def test_durations(ns, text):
    assert duration(ns) == text


def test_long_names_lose_their_middle():
    assert printable("a" * 300 + "b" * 300, 11) == "aaaaa…bbbbb"


def program(*words):
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_as_a_program(file, tmp_path):
    code, out, err = program("report", file, "--top", "1")
    assert (code, err) == (0, "")
    assert "read  app.io  /srv/io.py:20" in out
    missing = str(tmp_path / "none")
    for verb in (["report", missing], ["compare", file, missing]):
        assert program(*verb) == (1, "", f"pyusdt: {missing}: no such file or directory\n")
    assert program("compare", file, file, "--fail-above", "1%")[0] == 0
    code, _, err = program("report", file, "--top", "none")
    assert (code, err.count("\n")) == (2, 1)


def test_the_api_loads_a_recording(file):
    assert [f.record.name for f in pyusdt.load(file).functions] == ["read", "run", "parse", "main"]
    with pytest.raises(UserError):
        pyusdt.load("/nowhere")
