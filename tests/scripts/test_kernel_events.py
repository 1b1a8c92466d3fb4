# SPDX-License-Identifier: Apache-2.0
"""The scripts that start from kernel events: each one's answer, on a program whose answer is known.

Names are those of programs/kernel.py; numbers are primes that nothing else comes to by chance.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import ROOT, Program, Tracer, maps

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

PROGRAM = Path(__file__).parent / "programs/kernel.py"
FRAMES = ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"]
LIBRARY = "./libpyusdt.so"


@pytest.fixture
def program() -> Iterator[Program]:
    with Program(PROGRAM) as program:
        program.expect("^ready")
        yield program
        assert program.wait() == 0


def do(program: Program, *commands: str) -> None:
    for command in commands:
        program.send(command)
        program.expect(f"^done {command.split()[0]}$")


def script(name: str) -> Path:
    return ROOT / f"scripts/{name}.bt"


def answer(program: Program, name: str, *commands: str, parameters: tuple[str, ...] = ()) -> str:
    """What the script prints of a program that does this, in every process that it finds."""
    with Tracer(script(name), parameters=[LIBRARY, *parameters]) as tracer:
        program.expect_on(*FRAMES)
        do(program, *commands)
        return tracer.finish()


def stats(text: str) -> dict[str, int]:
    """The counts of stats(), as either bpftrace prints them."""
    found = re.findall(r"^@(.*): (?:\{ \.)?count (?:= )?(\d+),", text, re.MULTILINE)
    return {name: int(count) for name, count in found}


def of(found: dict[str, int], name: str) -> dict[str, int]:
    """One map of several."""
    return {
        key.removeprefix(name): value for key, value in found.items() if key.startswith(f"{name}[")
    }


def test_pysys_counts_and_times_calls_by_function(program: Program) -> None:
    found = maps(answer(program, "pysys", "asks 23", "tired 211"))
    assert found["calls[__main__, asks, getppid]"] == 23
    slept = found["time[__main__, sleeps, clock_nanosleep]"]
    assert slept >= 211_000


def test_pysys_knows_the_function_of_every_call_of_a_server(
    program: Program, tmp_path: Path
) -> None:
    requests = 101
    whole = tmp_path / "pysys.bt"
    whole.write_text(re.sub(r"print\((@\w+), 20", r"print(\1, 10000", script("pysys").read_text()))
    with Tracer(whole, program.pid, parameters=[LIBRARY]) as tracer:
        program.expect_on(*FRAMES)
        program.send(f"serves {requests}")
        port = int(program.expect(r"^port (\d+)$")[1])
        for _ in range(requests):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/page")
            assert len(connection.getresponse().read()) == 10007
            connection.close()
        program.expect("^done serves$")
        calls = of(maps(tracer.finish()), "calls")
    assert calls["[socket, socket.accept, accept4]"] == requests
    assert calls["[socket, SocketIO.readinto, recvfrom]"] == requests
    assert calls["[shutil, copyfileobj, read]"] >= requests
    nobody = sum(n for key, n in calls.items() if key.startswith("[, "))
    assert sum(calls.values()) > 30 * requests
    assert nobody < 0.01 * sum(calls.values()), calls
    accounted = ("read]", "write]", "accept4]", "sendto]", "recvfrom]")
    assert not [key for key in calls if key.startswith("[, ") and key.endswith(accounted)]


def test_pyoffcpu_names_the_function_that_sleeps(program: Program) -> None:
    text = answer(program, "pyoffcpu", "tired 307", "busy 307", parameters=(str(program.pid),))
    found = maps(text)
    assert found["waits[sleeps, tired, Thread.run]"] == 1
    assert found["time[sleeps, tired, Thread.run]"] >= 307_000
    spun = sum(time for key, time in of(found, "time").items() if key.startswith("[spins,"))
    assert spun < 30_000


def test_pyprofile_names_the_function_that_spins(program: Program) -> None:
    samples = of(maps(answer(program, "pyprofile", "busy 500", "tired 500")), "samples")
    assert samples["[spins, busy, Thread.run]"] >= 20
    assert not [key for key in samples if key.startswith("[sleeps, ")]


def test_pyio_tells_the_bytes_of_files_only(program: Program) -> None:
    text = answer(program, "pyio", "reads 23", "writes 29", "pipes 31", "talks 31")
    found = maps(text)
    assert found["bytes[read, __main__, reads]"] == 23 * 1009
    assert found["bytes[write, __main__, writes]"] == 29 * 997
    assert stats(text)["us[read, __main__, reads]"] == 23
    assert stats(text)["us[write, __main__, writes]"] == 29
    assert stats(text)["us[sync, __main__, writes]"] == 1
    assert "pipes" not in text
    assert "talks" not in text


def test_pynet_tells_the_bytes_of_sockets_and_who_connects(program: Program) -> None:
    text = answer(program, "pynet", "talks 23", "talks_as_ssl_does 29", "meets 7", "writes 31")
    found = maps(text)
    assert found["bytes[send, __main__, talks]"] == 23 * 101
    assert found["bytes[receive, __main__, talks]"] == 23 * 101
    assert found["bytes[send, __main__, talks_as_ssl_does]"] == 29 * 103
    assert found["bytes[receive, __main__, talks_as_ssl_does]"] == 29 * 103
    assert stats(text)["us[connect, __main__, meets]"] == 7
    assert stats(text)["us[accept, socket, socket.accept]"] == 7
    assert found["failed[connect, __main__, meets, 111]"] == 1
    assert "writes" not in text


def test_pyopen_tells_each_file_and_who_opens_it(program: Program) -> None:
    with Tracer(script("pyopen"), program.pid, parameters=[LIBRARY]) as tracer:
        program.expect_on(*FRAMES)
        program.send("opens 3")
        for i in range(3):
            tracer.expect(rf"^{program.pid} +\d+ write Path\.touch +opens +/\S+/opened-{i}$")
        tracer.expect(rf"^{program.pid} +-2 read  opens +Thread\.run +/\S+/missing$")
        program.expect("^done opens$")
        tracer.finish()


def test_pyexec_tells_each_program_and_who_starts_it(program: Program) -> None:
    with Tracer(script("pyexec"), parameters=[LIBRARY, str(program.pid)]) as tracer:
        program.expect_on(*FRAMES)
        program.send("starts 3")
        for _ in range(3):
            tracer.expect(rf"^{program.pid} +\d+ +starts +Thread\.run +\S*/true first second$")
        program.expect("^done starts$")
        program.send("forks 1")
        tracer.expect(rf"^{program.pid} +\d+ +forks +Thread\.run +\S*/true forked $")
        program.expect("^done forks$")
        tracer.finish()


def test_pyfault_names_the_function_that_touches_new_memory(program: Program) -> None:
    found = maps(answer(program, "pyfault", "touches 1009"))
    assert 1009 <= found["faults[__main__, touches, Thread.run]"] <= 1009 + 50
    assert 1009 * 4 <= found["grown[__main__, touches, Thread.run]"] <= 1009 * 4 + 1024


def test_pygil_names_the_function_that_holds_others_up(program: Program) -> None:
    python = interpreter(program.pid)
    found = maps(answer(program, "pygil", "hogging 23", parameters=(python,)))
    waits, holds = of(found, "waits"), of(found, "holds")
    assert waits["[__main__, polite]"] > 0.8 * sum(waits.values())
    assert holds["[__main__, hogs]"] > 0.8 * sum(holds.values())
    assert found["longest[__main__, hogs]"] >= 5000


def interpreter(pid: int) -> str:
    """The file that has the interpreter's code: libpython, or the program itself."""
    files = re.findall(r"r-xp.* (/\S+)$", Path(f"/proc/{pid}/maps").read_text(), re.MULTILINE)
    shared = [file for file in files if re.search(r"/libpython3\.\d+t?d?\.so", file)]
    return shared[0] if shared else str(Path(f"/proc/{pid}/exe").readlink())
