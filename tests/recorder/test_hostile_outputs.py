# SPDX-License-Identifier: Apache-2.0
"""Where a recording or a report is put, others may have put something before, or may do so now."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import runs
from harness import DEADLINE, ROOT
from recordings import snapshot, snapshot_of

import pyusdt
from pyusdt import rundir
from pyusdt.errors import UserError
from pyusdt.main import _run_verb as run_verb
from pyusdt.recording import run, write

from .recorded import work

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of other users")
WRITE = ROOT / "tests/unit/programs/recording/write.py"


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out.pyusdt"


@pytest.fixture
def shared(tmp_path) -> Path:
    """A directory as /tmp is."""
    directory = tmp_path / "shared"
    directory.mkdir()
    directory.chmod(0o1777)
    for parent in [tmp_path, *tmp_path.parents[:3]]:
        if os.geteuid() == 0:
            parent.chmod(parent.stat().st_mode | 0o055)
    return directory


def pyusdt_run(*words: str | Path, code: int) -> str:
    """What the command line prints on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def record(path: Path) -> None:
    with pyusdt.record(path):
        work(1)


def mode(path: str | Path) -> str:
    return stat.filemode(os.lstat(path).st_mode)


def names(directory: Path) -> list[str]:
    """What is there, but for directories of runs: this process may come back to them."""
    return sorted(name for name in os.listdir(directory) if not name.startswith(".out.pyusdt."))


@as_root
def test_a_link_that_somebody_else_has_put_there_is_replaced(shared):
    victim = shared.parent / "victim"
    victim.write_text("mine")
    out = shared / "out.pyusdt"
    for make in (record, lambda path: write(path, snapshot())):
        out.unlink(missing_ok=True)
        out.symlink_to(victim)
        os.chown(out, NOBODY, NOBODY, follow_symlinks=False)
        make(out)
        assert mode(out) == "-rw-------"
        assert victim.read_text() == "mine"
        assert pyusdt.load(out).functions
    report = shared / "out.json"
    report.symlink_to(victim)
    os.chown(report, NOBODY, NOBODY, follow_symlinks=False)
    pyusdt_run("report", out, "-o", report, code=0)
    assert mode(report) == "-rw-------"
    assert victim.read_text() == "mine"


def test_a_link_of_ones_own_is_followed(out):
    target = out.with_name("target.pyusdt")
    out.symlink_to("target.pyusdt")
    record(out)
    assert out.is_symlink()
    assert pyusdt.load(target).functions
    assert names(out.parent) == ["out.pyusdt", "target.pyusdt"]


@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_what_is_no_file_is_refused(out, kind):
    if kind == "fifo":
        os.mkfifo(out)
    elif kind == "directory":
        out.mkdir()
    else:
        out = Path("/dev/null")
    refusal = f"{out}: not a file, so nothing is recorded to it"
    with pytest.raises(UserError) as e:
        record(out)
    assert str(e.value) == refusal
    with pytest.raises(UserError) as e:
        write(out, snapshot())
    assert str(e.value) == refusal
    before = names(out.parent) if kind != "device" else []
    assert pyusdt_run("-o", out, "-c", "print(1)", code=1) == f"pyusdt: {refusal}\n"
    assert (names(out.parent) if kind != "device" else []) == before


@as_root
def test_another_name_of_somebody_elses_file_is_replaced_and_the_file_stays(shared):
    victim = shared.parent / "victim.pyusdt"
    write(victim, snapshot())
    os.chown(victim, NOBODY, NOBODY)
    content = victim.read_bytes()
    out = shared / "out.pyusdt"
    os.link(victim, out)
    record(out)
    assert victim.read_bytes() == content
    assert victim.stat().st_uid == NOBODY
    assert out.stat().st_uid == 0
    assert out.stat().st_ino != victim.stat().st_ino


def test_a_file_that_is_no_recording_is_left_as_it_is(out):
    out.write_text("a letter")
    with pytest.raises(UserError, match="not a recording"):
        record(out)
    pyusdt_run("-o", out, "-c", "print(1)", code=1)
    assert out.read_text() == "a letter"
    assert names(out.parent) == ["out.pyusdt"]


@as_root
def test_somebody_elses_file_in_a_shared_directory_stays(shared):
    out = shared / "out.pyusdt"
    write(out, snapshot())
    out.chmod(0o644)
    content = out.read_bytes()
    done = subprocess.run(
        [sys.executable, WRITE, out, "unprivileged"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.stdout == f"{out}: operation not permitted\n"
    assert out.read_bytes() == content
    assert names(shared) == ["out.pyusdt"]


@pytest.mark.parametrize("umask", [0, 0o22, 0o77, 0o777])
def test_files_are_for_their_owner_alone_whatever_the_umask_is(out, umask):
    before = os.umask(umask)
    try:
        with pyusdt.record(out):
            (directory,) = (entry for entry in os.scandir(out.parent) if entry.is_dir())
            assert mode(directory.path) == "drwx------"
            assert {mode(part.path) for part in os.scandir(directory.path)} == {"-rw-------"}
            work(1)
            assert mode(out) == "-rw-------"
        report = out.with_name("out.json")
        write(out.with_name("other.pyusdt"), snapshot())
        pyusdt_run("report", out, "-o", report, code=0)
    finally:
        os.umask(before)
    assert {mode(out.parent / name) for name in names(out.parent)} == {"-rw-------"}


@pytest.mark.parametrize("kind", ["link", "open", "file", "fifo", "another"])
def test_what_lies_at_the_name_of_the_runs_directory_is_not_taken(out, kind):
    """The name is random. Where a program hands it on, somebody may know it."""
    token = "0123456789abcdef"
    place = Path(rundir.directory_of(str(out), token))
    other = out.with_name("other")
    other.mkdir(0o700)
    if kind == "link":
        place.symlink_to(other)
    elif kind == "open":
        place.mkdir()
        place.chmod(0o750)
    elif kind == "file":
        place.touch()
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        if os.geteuid() != 0:
            pytest.skip("only root makes files of other users")
        place.mkdir(0o700)
        os.chown(place, NOBODY, NOBODY)
    with pytest.raises(UserError) as e:
        run.begin(str(out), token)
    assert str(e.value) == f"{place}: not a private directory of this user"
    assert names(other) == []
    done = subprocess.run(
        [sys.executable, "-c", "import pyusdt; print(1)"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYUSDT_RECORDING": str(out),
            "PYUSDT_RUN": token,
        },
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert done.stderr.startswith(f"pyusdt: {place}: not a private directory of this user; ")
    assert names(other) == []


def named(path: Path, directory: str, token: str = "0" * 16) -> None:
    """A recording that says that there are parts of it in that directory."""
    write(path, snapshot())
    database = sqlite3.connect(path)
    database.execute("UPDATE meta SET value = ? WHERE key = 'recording'", (token,))
    database.execute("INSERT INTO meta VALUES ('directory', ?)", (directory.encode(),))
    database.commit()
    database.close()


@pytest.mark.parametrize(
    "directory",
    [".", "..", ".private", "../other", "/etc", "", ".x." + "0" * 15, ".x/../." + "0" * 16,
     "x." + "0" * 16, ".\0." + "0" * 16, ".x." + "1" * 16],
)  # fmt: skip
def test_a_recording_that_names_another_directory(tmp_path, directory):
    home = tmp_path / "home"
    private = home / ".private"
    private.mkdir(parents=True)
    private.chmod(0o700)
    home.chmod(0o700)
    (private / "letter").touch()
    (private / "a.part").write_bytes(runs.part(snapshot()))
    (home / "letter").touch()
    path = home / "out.pyusdt"
    named(path, directory)
    before = sorted(os.walk(tmp_path))
    assert len(pyusdt.load(path).processes) == 1
    run.finish(str(path))
    assert sorted(os.walk(tmp_path)) == before


def test_a_directory_that_is_replaced_while_it_is_removed(out, tmp_path, monkeypatch):
    """Whoever owns the directory above may put a link there at any moment."""
    private = tmp_path / "private"
    private.mkdir()
    (private / "letter").touch()
    (private / "a.part.new").touch()
    it = runs.leave(out, runs.part(snapshot()))
    put = run._put

    def replaced(path: str, content: bytes) -> None:
        put(path, content)
        os.rename(it.directory, tmp_path / "moved")
        os.symlink(private, it.directory)

    monkeypatch.setattr(run, "_put", replaced)
    run.finish(str(out))
    assert names(private) == ["a.part.new", "letter"]
    assert len(pyusdt.load(out).processes) == 1


def test_what_is_not_ours_in_the_directory_stays(out):
    it = runs.leave(out, runs.part(snapshot()))
    letter = Path(it.directory, "letter")
    letter.touch()
    run.finish(str(out))
    assert names(Path(it.directory)) == ["letter"]
    with pyusdt.record(out):
        work(1)
    assert letter.exists()


def planted(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """What lies beside a recording, as it may be found again."""
    beside = [path.with_name(name) for name in names(path.parent) if name != path.name]
    return {p.name: (p.stat().st_mtime_ns, p.stat().st_ino, p.read_bytes()) for p in beside}


def hot_journal(victim: Path) -> bytes:
    """A journal that has to be rolled back, and then deletes its super-journal: SQLite's file
    format, section 3."""
    name = str(victim).encode()
    checksum = sum(name) & 0xFFFFFFFF
    head = bytes.fromhex("d9d505f920a163d7") + (0).to_bytes(4) + bytes(4) + (1).to_bytes(4)
    head += (512).to_bytes(4) + (4096).to_bytes(4)
    end = (0x40000000 // 4096 + 1).to_bytes(4) + name + len(name).to_bytes(4)
    return head.ljust(512, b"\0") + end + checksum.to_bytes(4) + bytes.fromhex("d9d505f920a163d7")


def test_a_journal_beside_it_is_not_touched(out, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    write(out, snapshot())
    write(tmp_path / "other.pyusdt", snapshot())
    for name in ("out.pyusdt", "other.pyusdt"):
        (tmp_path / f"{name}-journal").write_bytes(hot_journal(victim))
        (tmp_path / f"{name}-wal").write_bytes(bytes.fromhex("377f0682002de218") + bytes(5000))
        (tmp_path / f"{name}-shm").write_bytes(bytes(32768))
    before = planted(out)
    content = out.read_bytes()
    assert pyusdt.load(out).functions
    pyusdt_run("report", out, "-f", "json", code=0)
    pyusdt_run("report", out, "--tree", code=0)
    pyusdt_run("compare", out, tmp_path / "other.pyusdt", code=0)
    assert planted(out) == before
    assert out.read_bytes() == content
    record(out)
    write(out, snapshot())
    with pyusdt.record(out, join=True):
        work(1)
    assert planted(out) == before


def changed(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path)
    database.executescript(";".join(["PRAGMA writable_schema = ON", *statements]))
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON processes BEGIN DELETE FROM nodes; END",
        "CREATE VIEW forever AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c)"
        " SELECT * FROM c",
        "DROP VIEW function_totals; CREATE VIEW function_totals AS SELECT load_extension('/x')",
        "CREATE INDEX i ON nodes (abs(calls))",
        "CREATE TABLE more (a CHECK (randomblob(1000000000)))",
        "INSERT INTO functions VALUES (1000, 'm', zeroblob(100), 'n', 'f', 1)",
        "UPDATE processes SET command = hex(zeroblob(6000000))",
        "UPDATE meta SET value = hex(zeroblob(6000000))",
        "UPDATE processes SET started_ns = 1e300",
        "UPDATE processes SET reason = 7, ended_ns = 'soon'",
        "UPDATE processes SET forked = 'x'",
        "UPDATE steps SET value = zeroblob(10), elapsed_ns = 'long'",
        "UPDATE totals SET total_ns = 9223372036854775807",
        "UPDATE nodes SET elapsed_ns = 9223372036854775807",
        "UPDATE threads SET elapsed_ns = 9223372036854775807",
        "UPDATE losses SET count = 9223372036854775807",
        "DELETE FROM meta",
        "DROP TABLE started; CREATE TABLE started (process, program, count AS (1))",
        "DROP TABLE totals; CREATE VIEW totals AS SELECT 1",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE nodes (x)' WHERE name = 'nodes'",
    ],
)
def test_whatever_is_in_the_file_a_report_is_made_or_refused(out, statement):
    write(out, snapshot())
    changed(out, statement)
    content = out.read_bytes()
    for words in ((), ("--tree",), ("--steps",), ("-f", "json"), ("-f", "html")):
        try:
            assert run_verb("report", [str(out), *words]) == 0
        except UserError as e:
            assert "\n" not in str(e)
    assert out.read_bytes() == content
    assert names(out.parent) == ["out.pyusdt"]


@pytest.mark.parametrize("suffix", [".html", ".HTML", ".json", ".csv", ".pb.gz", ".txt"])
def test_a_recording_does_not_get_the_name_of_a_report(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    for words in (("-o", path, "-c", "1"), ("record", "-p", os.getpid(), "-o", path)):
        error = pyusdt_run(*words, code=2)
        assert error.startswith(f"pyusdt: option '-o {path}': a recording is no ")
        assert error.count("\n") == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["zz", "zz.json", "./zz.json", "link.json", "hard.json"])
def test_a_report_does_not_replace_the_recording(tmp_path, name):
    it = tmp_path / name
    file = tmp_path / ("zz" if name == "zz" else "zz.json")
    write(file, snapshot())
    if name == "link.json":
        it.symlink_to(file)
    elif name == "hard.json":
        os.link(file, it)
    content = file.read_bytes()
    for words in (("-o", it), ("-f", "json", "-o", it), ("-f", "html", "-o", it)):
        error = pyusdt_run("report", file, *words, code=2)
        assert error.startswith("pyusdt: ")
        assert error.count("\n") == 1
    assert file.read_bytes() == content


def test_a_reader_that_holds_a_lock_keeps_nobody_waiting(out):
    """Neither the program's end nor its forks."""
    import fcntl

    write(out, snapshot_of())
    done = threading.Event()
    with open(out, "rb") as file:
        fcntl.lockf(file, fcntl.LOCK_SH)
        fcntl.flock(file, fcntl.LOCK_EX)
        reader = sqlite3.connect(f"file:{out}?mode=ro", uri=True)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM meta").fetchall()

        def run_it() -> None:
            pyusdt_run(
                "-o", out, "-c", "import os\nif not os.fork(): os._exit(0)\nos.wait()", code=0
            )
            done.set()

        threading.Thread(target=run_it).start()
        assert done.wait(DEADLINE)
        reader.close()
    assert len(pyusdt.load(out).processes) == 2
