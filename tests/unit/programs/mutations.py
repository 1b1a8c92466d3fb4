# SPDX-License-Identifier: Apache-2.0
"""mutations.py DIRECTORY GOOD FIRST END: mutates the recording GOOD, once for each number, and
makes each report of it. Prints what went wrong, and last what it cost at most.

Wrong is a traceback, a death, over 5 s of CPU, over 200 MB, and a byte that a terminal obeys.
"""

import os
import random
import resource
import signal
import sqlite3
import sys
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path

from pyusdt import report
from pyusdt.main import console

SECONDS, MEGABYTES = 5, 200
BINARY = ("pstats", "pprof", "recording")
TABLES = ("processes", "threads", "functions", "nodes", "totals", "charges", "kernel", "histograms",
          "lines", "sources", "texts", "steps", "losses", "started", "meta")  # fmt: skip
VALUES = [
    2**63 - 1, -(2**63), 2**53, -1, 0, 1, 9e999, -9e999, 1e-310, 1e300, 0.5, None, "", "x",
    b"\xff\0", "\x1b]0;x\x07", "\x9b31m", "\u202e\u2066", "=1+1\r\n;", "a\0b", "</script>",
    "9" * 50, "y" * 200_000, "\x1b" * 200_000,
]  # fmt: skip
ODD_TEXTS = ["CAST(x'eda080' AS TEXT)", "CAST(x'ff' AS TEXT)", "randomblob(9)", "random()", "rowid"]


def mutate(path: Path, good: bytes, chance: random.Random) -> None:
    path.write_bytes(good)
    if chance.random() < 0.4:
        path.write_bytes(_bytes(bytearray(good), chance))
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for _ in range(chance.choice((1, 1, 2, 5))):
            with suppress(sqlite3.Error):  # the schema did not allow it
                _rows(database, chance)


def _bytes(data: bytearray, chance: random.Random) -> bytes:
    kind = chance.randrange(4)
    for _ in range(chance.choice((1, 3, 30))):
        at = chance.randrange(100, len(data))
        if kind == 0:
            data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif kind == 1:
            data[at : at + 8] = chance.randbytes(8)
        elif kind == 2:
            size = chance.randrange(1, 300)
            other = chance.randrange(100, len(data))
            data[at : at + size] = data[other : other + size]
    return bytes(data[: chance.randrange(len(data))] if kind == 3 else data)


def _rows(database: sqlite3.Connection, chance: random.Random) -> None:
    table = chance.choice(TABLES)
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    if not columns:
        return  # an earlier change has left no table
    column, other = chance.choice(columns), chance.choice(columns)
    where = chance.choice(
        ("", f" WHERE {other} % 2", f" WHERE {other} = (SELECT max({other}) FROM {table})")
    )
    kind = chance.randrange(6)
    if kind >= 4 or (kind == 3 and chance.random() < 0.5):  # a table without constraints
        database.executescript(
            f"CREATE TABLE new AS SELECT * FROM {table}; DROP TABLE {table};"
            f"ALTER TABLE new RENAME TO {table}"
        )
    if kind == 0:
        database.execute(f"DELETE FROM {table}{where}")
    elif kind == 1:
        database.execute(f"UPDATE OR IGNORE {table} SET {column} = {other}{where}")
    elif kind == 2:
        database.execute(
            f"UPDATE OR IGNORE {table} SET {column} = {chance.choice(ODD_TEXTS)}{where}"
        )
    elif kind == 5:
        database.execute(f"INSERT INTO {table} SELECT * FROM {table}")
    else:
        value = chance.choice(VALUES)
        database.execute(f"UPDATE OR REPLACE {table} SET {column} = ?{where}", (value,))


def commands(path: Path, good: Path) -> list[list[str]]:
    formats = [["report", str(path), "-f", name] for name in report.FORMATS]
    shown = [
        ["--tree"],
        ["--steps"],
        ["--lines"],
        ["--threads", "--tree"],
        ["--lines=*", "--full"],
        ["-f", "csv", "--steps"],
        ["-f", "csv", "--lines"],
    ]
    return [
        *formats,
        *(["report", str(path), *options] for options in shown),
        ["compare", str(path), str(good)],
        ["compare", str(good), str(path), "--fail-above", "5%"],
    ]


def run(words: list[str], out: Path, err: Path) -> None:
    """In a child: the command, with its output in files."""
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of CPU: other programs run, too
    signal.alarm(20 * SECONDS)
    sys.argv = ["pyusdt", *words]
    console()


def child(words: list[str], out: Path, err: Path) -> tuple[int, resource.struct_rusage]:
    pid = os.fork()
    if pid:
        _, status, usage = os.wait4(pid, 0)
        return status, usage
    code = 70
    try:
        run(words, out, err)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def fault(words: list[str], status: int, mb: float, out: bytes, err: bytes) -> str:
    plain = err if any(name in words for name in BINARY) else out + err
    if os.WIFSIGNALED(status):
        return f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    if b"Traceback" in err or os.WEXITSTATUS(status) not in (0, 1):
        return f"code {os.WEXITSTATUS(status)}: {err[-300:]!a}"
    if mb > MEGABYTES:
        return f"{mb:.0f} MB"
    if plain.translate(None, bytes(range(0x20, 0x100)) + b"\t\r\n") or "\x9b" in plain.decode():
        return "has what a terminal obeys"
    return ""


def main() -> None:
    for name in (
        *(f"report.{name.replace('-', '_')}" for name in report.FORMATS),
        "commands.report",
        "compare",
    ):
        with suppress(ImportError):  # now, not in each child; a recording has no module
            import_module(f"pyusdt.{name}")
    directory, good = map(Path, sys.argv[1:3])
    path, out, err = (directory / name for name in ("x.pyusdt", "out", "err"))
    data = good.read_bytes()
    n = wrong = refused = 0
    most_seconds = most_mb = 0.0
    numbers = range(*map(int, sys.argv[3:5]))
    for number in numbers:
        mutate(path, data, random.Random(number))
        for words in commands(path, good):
            status, usage = child(words, out, err)
            mb = usage.ru_maxrss / 1024
            most_mb = max(most_mb, mb)
            most_seconds = max(most_seconds, usage.ru_utime + usage.ru_stime)
            why = fault(words, status, mb, out.read_bytes(), err.read_bytes())
            n += 1
            refused += status != 0
            if why:
                wrong += 1
                print(f"{number}: {' '.join(words)}: {why}")
    print(f"{len(numbers)} mutations, {n} commands: {refused} refused, {wrong} wrong;"
          f" at most {most_seconds:.2f} s of CPU, {most_mb:.0f} MB")  # fmt: skip


main()
