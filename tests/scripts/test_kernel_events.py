# SPDX-License-Identifier: Apache-2.0
"""The scripts that start from kernel events: each one's answer, on a program whose answer is known.

Names are those of programs/kernel.py; numbers are primes that nothing else comes to by chance.
"""

from __future__ import annotations

import http.client
import re
import tempfile
from pathlib import Path

import pytest
from harness import ROOT, maps
from scripts.kernel import answer, of, traced
from scripts.trace import result_of, without_ids


def answer_of(name: str, *commands: str) -> pytest.MarkDecorator:
    """The test gets what the script prints of a program that does this."""
    return result_of(answer, name, *commands)


def stats(text: str) -> dict[str, int]:
    """The counts of stats(), as either bpftrace prints them."""
    found = re.findall(r"^@(.*): (?:\{ \.)?count (?:= )?(\d+),", text, re.MULTILINE)
    return without_ids({name: int(count) for name, count in found})


@answer_of("pysys", "asks 23", "tired 211")
def test_pysys_counts_and_times_calls_by_function(result: str) -> None:
    found = without_ids(maps(result))
    assert found["calls[__main__, asks, getppid]"] == 23
    slept = found["time[__main__, sleeps, clock_nanosleep]"]
    assert slept >= 210_000  # of 211,000: the clocks of both are not the same


REQUESTS = 101


def calls_of_a_server() -> dict[str, int]:
    """All that pysys counts, not only the most."""
    source = (ROOT / "scripts/pysys.bt").read_text()
    with tempfile.TemporaryDirectory() as directory:
        whole = Path(directory) / "pysys.bt"
        whole.write_text(re.sub(r"print\((@\w+), 20", r"print(\1, 10000", source))
        with traced("pysys", whole) as (program, tracer):
            program.send(f"serves {REQUESTS}")
            port = int(program.expect(r"^port (\d+)$")[1])
            for _ in range(REQUESTS):
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("GET", "/page")
                assert len(connection.getresponse().read()) == 10007
                connection.close()
            program.expect("^done serves$")
            return of(without_ids(maps(tracer.finish())), "calls")


@result_of(calls_of_a_server)
def test_pysys_knows_the_function_of_every_call_of_a_server(result: dict[str, int]) -> None:
    assert result["[socket, socket.accept, accept4]"] == REQUESTS
    assert result["[socket, SocketIO.readinto, recvfrom]"] == REQUESTS
    assert result["[shutil, copyfileobj, read]"] >= REQUESTS
    # The main thread only waits; what it does is nobody's until the tracer hears of it.
    nobody = {key: n for key, n in result.items() if key.startswith("[, ")}
    assert sum(result.values()) > 30 * REQUESTS
    assert sum(nobody.values()) < 0.01 * sum(result.values()), result
    assert not [key for key in nobody if key.endswith(("accept4]", "sendto]", "recvfrom]"))]


@answer_of("pyprofile", "busy 500", "tired 500")
def test_pyprofile_names_the_function_that_spins(result: str) -> None:
    samples = of(without_ids(maps(result), 3), "samples")
    assert samples["[spins, busy, Thread.run]"] >= 10
    assert samples["[spins, busy, Thread.run]"] > sum(samples.values()) / 2
    # One sample may hit the moment before the sleep.
    assert sum(n for key, n in samples.items() if key.startswith("[sleeps, ")) <= 1


@answer_of("pyio", "reads 23", "writes 29", "pipes 31", "talks 31")
def test_pyio_tells_the_bytes_of_files_only(result: str) -> None:
    found = without_ids(maps(result))
    assert found["bytes[read, __main__, reads]"] == 23 * 1009
    assert found["bytes[write, __main__, writes]"] == 29 * 997
    assert stats(result)["us[read, __main__, reads]"] == 23
    assert stats(result)["us[write, __main__, writes]"] == 29
    assert stats(result)["us[sync, __main__, writes]"] == 1
    assert "pipes" not in result
    assert "talks" not in result


@answer_of("pynet", "talks 23", "talks_as_ssl_does 29", "meets 7", "writes 31")
def test_pynet_tells_the_bytes_of_sockets_and_who_connects(result: str) -> None:
    found = without_ids(maps(result))
    assert found["bytes[send, __main__, talks]"] == 23 * 101
    assert found["bytes[receive, __main__, talks]"] == 23 * 101
    assert found["bytes[send, __main__, talks_as_ssl_does]"] == 29 * 103
    assert found["bytes[receive, __main__, talks_as_ssl_does]"] == 29 * 103
    assert stats(result)["us[connect, __main__, meets]"] == 7
    assert stats(result)["us[accept, socket, socket.accept]"] == 7
    assert found["failed[connect, __main__, meets, 111]"] == 1
    assert "writes" not in result


def opened() -> None:
    with traced("pyopen") as (program, tracer):
        program.send("opens 3")
        for i in range(3):
            tracer.expect(rf"^{program.pid} +\d+ w +Path\.touch +opens +/\S+/opened-{i}$")
        tracer.expect(rf"^{program.pid} +-2 r +opens +Thread\.run +/\S+/missing$")
        program.expect("^done opens$")
        tracer.finish()


@result_of(opened)
def test_pyopen_tells_each_file_and_who_opens_it(result: None) -> None:
    """It has heard of each, else the run has failed."""


@answer_of("pyfault", "touches 1009")
def test_pyfault_names_the_function_that_touches_new_memory(result: str) -> None:
    found = without_ids(maps(result), 2)
    assert 1009 <= found["faults[__main__, touches, Thread.run]"] <= 1009 + 50
    assert 1009 * 4 <= found["grown[__main__, touches, Thread.run]"] <= 1009 * 4 + 1024


@answer_of("pywhere", "lined 101")
def test_pywhere_names_the_line_that_led_to_it(result: str) -> None:
    found = without_ids(maps(result))
    source = (ROOT / "tests/scripts/programs/kernel.py").read_text().splitlines()
    first = source.index("def leads(n: int) -> None:") + 1
    # A busy machine may have it wait for the GIL there, which is a call too.
    assert 303 <= found[f"calls[__main__, leads, {first + 2}]"] <= 303 + 50
    assert 1 <= found[f"calls[__main__, leads, {first + 3}]"] <= 1 + 50
    assert 101 <= found[f"faults[__main__, leads, {first + 4}]"] <= 101 + 50


@answer_of("pygil", "hogging 23")
def test_pygil_names_the_function_that_holds_others_up(result: str) -> None:
    found = without_ids(maps(result))
    waits, holds = of(found, "waits"), of(found, "holds")
    assert waits["[__main__, polite]"] > sum(waits.values()) / 2
    assert holds["[__main__, hogs]"] > sum(holds.values()) / 2
    assert found["longest[__main__, hogs]"] >= 5000
