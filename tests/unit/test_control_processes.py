# SPDX-License-Identifier: Apache-2.0
"""`pyusdt status` and `pyusdt set` on other processes, well and ill."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from conftest import missing
from harness import DEADLINE, LIBRARY, ROOT, Process, Program, environment

from pyusdt.errors import UserError
from pyusdt.remote import control_layout
from pyusdt.remote.attached import Process as Traced
from pyusdt.remote.control_layout import Control
from pyusdt.remote.control_requests import request

PROGRAMS = Path(__file__).parent / "programs"

READY = "print('ready', flush=True)"
TARGET = f"import pyusdt; {READY}; input()"
NOBODY = 65534


def pyusdt(*words: object, code: int = 0, prefix: Sequence[object] = ()) -> str:
    """What `pyusdt` prints; its one line of error where it is to end with another code."""
    argv = [*map(str, prefix), sys.executable, "-m", "pyusdt", *map(str, words)]
    environ = {**environment(), "PYUSDT_VERBOSE": "0"}
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=DEADLINE, env=environ, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    if code == 0:
        return done.stdout
    assert done.stderr.startswith("pyusdt: ") and done.stderr.count("\n") == 1
    assert done.stdout == ""
    return done.stderr.removeprefix("pyusdt: ").rstrip("\n")


def status_of(pid: int, prefix: Sequence[object] = ()) -> dict[str, object]:
    (found,) = json.loads(pyusdt("status", "-p", pid, "--json", prefix=prefix))
    assert found["pid"] == pid
    return dict(found)


@pytest.fixture
def root() -> None:
    if os.geteuid() != 0:
        missing("mount, chroot and the map_files of others need root")


@pytest.fixture
def target() -> Iterator[Program]:
    with Program("-c", TARGET) as program:
        program.expect("^ready")
        yield program


def write(pid: int, offset: int, data: bytes) -> None:
    """Write into the control struct, as somebody else might."""
    with Traced(pid) as process, open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(process.address + offset)
        memory.write(data)


def test_set_says_what_is_in_effect_and_status_agrees(target: Program) -> None:
    said = pyusdt("set", "-p", target.pid, "--only", "myapp", "--slow", "2s", "--verbose")
    assert said == (
        f"process {target.pid}: only myapp, exclude nothing, values safe, slow 2000ms, "
        "large 1MiB, check 10 ms, verbose yes\n"
    )
    said = pyusdt("set", "-p", target.pid, "--no-verbose", "--check-msec", "20", "--slow", "1us",
                  "--large", "64 KiB")  # fmt: skip
    assert said.endswith(": only myapp, exclude nothing, values safe, slow 1us, large 64KiB, "
                         "check 20 ms, verbose no\n")  # fmt: skip
    status = status_of(target.pid)
    assert (status["only"], status["slow_usec"], status["check_msec"]) == ("myapp", 1, 20)
    assert status["verbose"] is False
    assert status["large_bytes"] == 65536
    said = pyusdt("set", "-p", target.pid, "--large", "1MB")
    assert ", large 1000000B, " in said


def test_status_lists_every_process_that_has_pyusdt(target: Program) -> None:
    with Program("-c", TARGET, "second \x1b[1m argument", PYUSDT_ONLY="myapp") as second:
        second.expect("^ready")
        found = {s["pid"]: s for s in json.loads(pyusdt("status", "--json"))}
        assert found[target.pid]["only"] == ""
        assert found[second.pid]["only"] == "myapp"
        assert found[second.pid]["command"].endswith("second \x1b[1m argument")
        assert all("pyusdt status" not in s["command"] for s in found.values())
        table = pyusdt("status")
        rows = [line.split() for line in table.splitlines()]
        assert rows[0] == ["pid", "python", "tool", "fired", "lost", "command"]
        version = ".".join(map(str, sys.version_info[:3]))
        assert [str(target.pid), version, "0", "0"] in [row[:4] for row in rows]
        assert r"second \x1b[1m argument" in table
        assert ["only", "myapp"] in rows


def test_status_of_one_process_in_detail(target: Program) -> None:
    lines = pyusdt("status", "-p", target.pid).splitlines()
    assert lines[0].startswith(f"{target.pid}  {sys.executable} -c import pyusdt; ")
    assert "  watcher  running, looks every 10 ms" in lines
    assert "  watched  no probe" in lines
    assert "  events   none on" in lines
    assert "  only     everything" in lines
    assert "  lost     code 0" in lines
    assert "  lost     calltree 0" in lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "0"], "argument -p/--pid: not the number of a process: '0'"),
        (["-p", "x"], "argument -p/--pid: not the number of a process: 'x'"),
        (["-p", "99999999999"], "argument -p/--pid: not the number of a process: '99999999999'"),
        ([], "the following arguments are required: -p/--pid"),
        (["-p", "PID"], "nothing is given to set"),
        (["-p", "PID", "--only", "x" * 1024], "only is longer than 1023 bytes: it has 1024"),
        (["-p", "PID", "--only", "a b"], "only has a space or control character in 'a b': put"),
        (["-p", "PID", "--slow", "10"], "slow is a time like 10ms, 500us, 1.5s, or off, not '10'"),
        (["-p", "PID", "--slow", "99999999s"], "slow_usec is neither off nor a number of"),
        (["-p", "PID", "--large", "big"], "large is a size like 64KiB, 1MB or 4096, not 'big'"),
        (["-p", "PID", "--large", "4GiB"], "large_bytes is not a number of bytes from 1 to 4294"),
        (["-p", "PID", "--check-msec", "0"], "check_msec is not a number from 1 to 10000"),
        (["-p", "PID", "--check-msec", "-5"], "check_msec is not a number from 1 to 10000"),
        (["-p", "PID", "--values", "x"], "argument --values: invalid choice: 'x'"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_a_bad_value_is_not_written(target: Program, words: list[str], message: str) -> None:
    with Traced(target.pid) as process:
        before = process._read(Control.request.offset, Control.request.size)
        words = [word.replace("PID", str(target.pid)) for word in words]
        assert pyusdt("set", *words, code=2).startswith(f"set: {message}")
        assert process._read(Control.request.offset, Control.request.size) == before


def test_processes_that_are_not_there_or_have_no_pyusdt() -> None:
    with Process([sys.executable, "-c", f"{READY}; input()"]) as other:
        other.expect("^ready")
        for verb in (["status"], ["set", "--only", "x"]):
            message = pyusdt(*verb, "-p", other.pid, code=1)
            assert message == f"process {other.pid} has not loaded pyusdt: it has to import it"
        other.kill()
        message = pyusdt("status", "-p", other.pid, code=1)
        assert message == f"there is no process {other.pid}"


def test_a_zombie_has_ended(target: Program) -> None:
    os.kill(target.pid, signal.SIGKILL)
    os.waitid(os.P_PID, target.pid, os.WEXITED | os.WNOWAIT)
    assert pyusdt("status", "-p", target.pid, code=1) == f"process {target.pid} has ended"


def test_a_process_that_dies_halfway(target: Program) -> None:
    with Traced(target.pid, write=True) as process:
        target.kill()
        for work in (process.status, lambda: process.change(request(only="x"))):
            with pytest.raises(UserError, match=rf"^there is no process {target.pid}$"):
                work()


def test_a_process_that_becomes_another_program() -> None:
    code = f"import os, sys, pyusdt; {READY}; input(); os.execv(sys.executable, sys.argv[1:])"
    plain = [sys.executable, "-c", f"print('other', flush=True); {READY}; input()"]
    with Program("-c", code, *plain) as program:
        program.expect("^ready")
        with Traced(program.pid, write=True) as process:
            program.send("go")
            program.expect("^other")
            with pytest.raises(UserError, match="has exec'ed another program"):
                process.change(request(only="x"))


def test_a_stopped_process_cannot_answer(target: Program) -> None:
    os.kill(target.pid, signal.SIGSTOP)
    os.waitpid(target.pid, os.WUNTRACED)
    message = pyusdt("set", "-p", target.pid, "--only", "x", code=1)
    pid = target.pid
    assert message == f"process {pid} is stopped and cannot answer: kill -CONT {pid}"
    assert status_of(target.pid)["only"] == ""
    os.kill(target.pid, signal.SIGCONT)
    pyusdt("set", "-p", target.pid, "--only", "y")
    assert status_of(target.pid)["only"] == "y"


def test_a_process_that_keeps_the_gil_does_not_answer_and_the_request_is_withdrawn() -> None:
    code = f"import pyusdt\n{READY}\nsum(range(10**13))"
    with Program("-c", code) as program:
        program.expect("^ready")
        message = pyusdt("set", "-p", program.pid, "--only", "x", code=1)
        assert message.startswith(f"process {program.pid} did not answer within 2.0 seconds, so ")
        with Traced(program.pid) as process:
            snapshot = process._snapshot()
        assert snapshot.requested == snapshot.answered
        assert snapshot.status["only"] == ""


def test_a_process_without_a_watcher_cannot_answer() -> None:
    code = f"import pyusdt; pyusdt.libpyusdt.stop(); {READY}; input()"
    with Program("-c", code) as program:
        program.expect("^ready")
        assert status_of(program.pid)["watcher"] == "stopped"
        message = pyusdt("set", "-p", program.pid, "--only", "x", code=1)
        assert "its watcher does not run" in message


@pytest.mark.parametrize(
    ("offset", "data", "message"),
    [
        (
            8,
            b"\10",
            "has a newer pyusdt (control version 8, here 7): use the one that belongs to /",
        ),
        (8, b"\0", "has an older pyusdt (control version 0, here 7): use the one that belongs to "),
        (12, b"\1", "has another pyusdt (control version 7, here 7): use the one that belongs to "),
        (0, b"x", " is not the file that was loaded, or not a pyusdt that this one knows"),
    ],
    ids=["newer", "older", "size", "magic"],
)
def test_another_version_is_refused(
    target: Program, offset: int, data: bytes, message: str
) -> None:
    write(target.pid, offset, data)
    for verb in (["status"], ["set", "--only", "x"]):
        assert message in pyusdt(*verb, "-p", target.pid, code=1)
    # Of all processes, the others are still told.
    assert str(target.pid) not in pyusdt("status")


def test_garbage_harms_nobody(target: Program) -> None:
    """Random requests: each is answered or waits for its end, and good ones work afterwards."""
    chance = random.Random(4)
    offset = Control.request.offset
    refused = 0
    with Traced(target.pid, write=True) as process:
        for i in range(40):
            fields = chance.randrange(64).to_bytes(4, "little") + bytes(8)
            body = chance.randbytes(Control.request.size - 16)
            if i % 4 == 0:
                fields = chance.randbytes(12)
            write(target.pid, offset + 4, fields + body)
            write(target.pid, offset, (2 * i + 2).to_bytes(4, "little"))
            while (now := process._snapshot()).answered != 2 * i + 2:
                time.sleep(0.001)
            refused += now.refusal is not None
        write(target.pid, offset, b"\xff" * 4)  # odd: its writer died while it was at it
        assert process.change(request(only="x", slow="1s", values="off"))["only"] == "x"
        # The status is for others: the process does not read it back.
        write(target.pid, Control.status.offset + 4, chance.randbytes(300))
        assert process.change(request(only="y"))["only"] == "y"
    assert refused > 30
    target.send("")
    assert target.wait() == 0


def test_many_at_a_time(target: Program) -> None:
    commands = [
        [sys.executable, "-m", "pyusdt", "set", "-p", str(target.pid), "--only", f"m{i}"]
        for i in range(6)
    ]
    running = [
        subprocess.Popen(c, env=environment(), stdout=subprocess.PIPE, text=True) for c in commands
    ]
    said = [process.communicate(timeout=DEADLINE)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 6
    for i, line in enumerate(said):
        assert f"only m{i}," in line
    assert status_of(target.pid)["only"] in {f"m{i}" for i in range(6)}


def test_a_child_has_its_own_and_inherits() -> None:
    with Program(PROGRAMS / "inherits.py") as program:
        child = int(program.expect(r"^child (\d+)$")[1])
        assert status_of(child)["only"] == "inherited"
        pyusdt("set", "-p", child, "--only", "x")
        assert status_of(child)["only"] == "x"
        assert status_of(program.pid)["only"] == "inherited"
        program.send("")
        assert program.wait() == 0


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A directory with a copy of the package, which everybody may read."""
    for part in (tmp_path, *tmp_path.parents[:2]):
        part.chmod(0o755)
    shutil.copytree(ROOT / "pyusdt", tmp_path / "pyusdt", symlinks=True)
    return tmp_path


@pytest.fixture
def copied(copy: Path) -> Iterator[tuple[Program, Path]]:
    """A process that has loaded the copy, and its library."""
    library = copy / "pyusdt" / LIBRARY.name
    with Program("-c", TARGET, python=["-P"], PYTHONPATH=str(copy)) as program:
        program.expect("^ready")
        assert str(library) in Path(f"/proc/{program.pid}/maps").read_text()
        yield program, library


@pytest.mark.usefixtures("root")
def test_a_library_that_is_deleted_or_replaced(copied: tuple[Program, Path]) -> None:
    program, library = copied
    library.unlink()
    assert status_of(program.pid)["only"] == ""
    library.write_bytes(b"an update, half way")
    pyusdt("set", "-p", program.pid, "--only", "x")
    assert status_of(program.pid)["only"] == "x"


def test_a_library_without_the_symbol(copied: tuple[Program, Path]) -> None:
    """An earlier pyusdt: what is not exported cannot be found, and the file is what is loaded."""
    program, library = copied
    content = library.read_bytes()
    with library.open("r+b") as file:  # in place: the mapping's file stays the same one
        file.seek(content.index(b"\0pyusdt_control\0") + 1)
        file.write(b"pyusdt_cuntrol")
    message = pyusdt("status", "-p", program.pid, code=1)
    assert message.endswith(f"{library} is an older pyusdt, without live control")


def test_a_process_with_another_copy_is_shown_as_such(copied: tuple[Program, Path]) -> None:
    """Tracers of this copy's probes see nothing of it."""
    program, library = copied
    another = f"library  {library}, another copy than ours: trace it with -p {program.pid}"
    assert f"  {another}" in pyusdt("status", "-p", program.pid).splitlines()
    assert another in " ".join(pyusdt("status").split()).replace("library ", "library  ")


def test_a_process_with_this_copy_is_not(target: Program) -> None:
    assert "library" not in pyusdt("status", "-p", target.pid)


@pytest.mark.usefixtures("root")
def test_root_is_not_asked_to_be_root() -> None:
    without = "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"
    require("setpriv", *without, "true")
    argv = ["setpriv", *without, sys.executable, "-m", "pyusdt", "status"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert "of others cannot be looked into: that takes the capability SYS_PTRACE" in done.stderr
    assert "run this as root" not in done.stderr


def entered(script: str, prefix: Sequence[str], **variables: str) -> Program:
    """A program of a shell that arranges what it sees, and then becomes it."""
    program = Program.__new__(Program)
    Process.__init__(program, [*prefix, "sh", "-ec", script], env=environment(**variables))
    return program


def require(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"{' '.join(argv)}: {done.stderr.strip()}")


@pytest.mark.usefixtures("root")
def test_a_process_in_another_mount_namespace(tmp_path: Path) -> None:
    require("unshare", "--mount", "true")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    script = (
        f"mount -t tmpfs none {hidden}; cp -r {ROOT}/pyusdt {hidden}; cd {hidden}; "
        f'exec {sys.executable} -c "{TARGET}"'
    )
    with entered(script, ["unshare", "--mount"], PYTHONPATH=str(hidden)) as program:
        program.expect("^ready")
        assert not list(hidden.iterdir())
        pyusdt("set", "-p", program.pid, "--only", "x")
        assert status_of(program.pid)["only"] == "x"
        assert str(program.pid) in pyusdt("status")


@pytest.mark.usefixtures("root")
def test_a_process_in_a_chroot(tmp_path: Path) -> None:
    """Seen from its mount namespace, where it has a path outside of the chroot, and from ours."""
    require("unshare", "--mount", "true")
    root = tmp_path / "root"
    root.mkdir()
    script = (
        f"mount --rbind / {root}; mount -t tmpfs none {root}/mnt; cp -r {ROOT}/pyusdt {root}/mnt; "
        # Who stays in the namespace and outside of the chroot has this test's root, which may be in
        # a chroot itself.
        "exec 3<&0; cat <&3 >/dev/null 2>&1 & echo beside $!; "
        f"exec chroot {root} {sys.executable} -c \"import os; os.chdir('/mnt'); {TARGET}\""
    )
    with entered(script, ["unshare", "--mount"], PYTHONPATH="/mnt") as program:
        beside = program.expect(r"^beside (\d+)$")[1]
        program.expect("^ready")
        assert "/mnt/pyusdt" in Path(f"/proc/{program.pid}/maps").read_text()
        inside = ["nsenter", f"--mount=/proc/{beside}/ns/mnt", f"--root=/proc/{beside}/root"]
        for i, prefix in enumerate(([], inside)):
            pyusdt("set", "-p", program.pid, "--only", f"x{i}", prefix=prefix)
            assert status_of(program.pid, prefix)["only"] == f"x{i}"


def as_nobody(copy: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", PROGRAMS / "as_nobody.py", *map(str, words)],
        env=environment(PYTHONPATH=str(copy), PYUSDT_VERBOSE="0", NOBODY=str(NOBODY)),
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip


@pytest.mark.usefixtures("root")
def test_another_user_is_refused_and_the_same_is_not(copy: Path, target: Program) -> None:
    theirs = copy / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    for words in (["status"], ["set", "--only", "x"], ["record", "-o", theirs / "out"]):
        done = as_nobody(copy, *words, "-p", target.pid)
        assert done.returncode == 1
        assert done.stderr.startswith(
            f"pyusdt: no permission to look into process {target.pid}: that takes its own user or "
            "root, and in a container the capability SYS_PTRACE"
        )
        assert done.stderr.count("\n") == 1
    assert os.listdir(theirs) == []
    done = as_nobody(copy, "status")
    assert done.returncode == 0
    assert "of others cannot be looked into: run this as root" in done.stderr
    assert str(target.pid) not in done.stdout
    program = PROGRAMS / "as_nobody.py"
    with Program(program, python=["-P"], PYTHONPATH=str(copy), NOBODY=str(NOBODY)) as own:
        own.expect("^ready")
        done = as_nobody(copy, "set", "-p", own.pid, "--only", "x")
        assert (done.returncode, done.stderr) == (0, "")
        done = as_nobody(copy, "status", "--json")
        assert [s["only"] for s in json.loads(done.stdout) if s["pid"] == own.pid] == ["x"]
        assert status_of(own.pid)["only"] == "x"  # root may look at everybody's


def test_documented_keys_are_those_of_json(target: Program) -> None:
    assert set(status_of(target.pid)) == {*control_layout.Status.__annotations__, "command"}
