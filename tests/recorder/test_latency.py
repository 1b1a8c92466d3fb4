# SPDX-License-Identifier: Apache-2.0
"""The latency of generators and coroutines: from the first entry to the end, with suspensions."""

import asyncio
import csv
import gc
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pyusdt
from pyusdt import report
from pyusdt.recording import Function
from pyusdt.report.options import Options

MS = 1_000_000


def by_name(rec: pyusdt.record) -> dict[str, Function]:
    return {f.record.name: f for f in rec.functions}


def is_about(ns: int | None, least: int) -> bool:
    return ns is not None and least <= ns < least + 200 * MS


def nap(seconds: float) -> None:
    time.sleep(seconds)


def naps(times: int) -> Iterator[int]:
    yield from range(times)


async def request(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def failing() -> None:
    await asyncio.sleep(0.02)
    raise KeyError


async def ticks() -> AsyncIterator[int]:
    for i in range(2):
        await asyncio.sleep(0.02)
        yield i


def test_a_request_that_awaits() -> None:
    async def main() -> None:
        await asyncio.gather(*(request(0.05) for _ in range(20)))
        await request(0.1)

    with pyusdt.record() as rec:
        asyncio.run(main())
    function = by_name(rec)["request"]
    assert function.total_ns < 50 * MS  # running
    assert function.latencies.total() == function.calls == 21
    assert is_about(function.latency(0.5), 50 * MS)
    assert is_about(function.latency(1.0), 100 * MS)
    assert is_about(by_name(rec)["main"].latency(0.5), 150 * MS)
    assert "nap" not in by_name(rec)


def test_errors_and_cancellation_end_it_too() -> None:
    async def main() -> None:
        with suppress(KeyError):
            await failing()
        task = asyncio.create_task(request(60))
        await asyncio.sleep(0.03)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    with pyusdt.record() as rec:
        asyncio.run(main())
    assert is_about(by_name(rec)["failing"].latency(0.5), 20 * MS)
    assert is_about(by_name(rec)["request"].latency(0.5), 30 * MS)


def test_generators_of_both_kinds() -> None:
    async def main() -> None:
        async for _ in ticks():
            pass

    with pyusdt.record() as rec:
        asyncio.run(main())
        for _ in naps(2):
            nap(0.02)
    assert is_about(by_name(rec)["ticks"].latency(1.0), 40 * MS)
    assert is_about(by_name(rec)["naps"].latency(1.0), 40 * MS)
    assert by_name(rec)["naps"].latencies.total() == 1
    assert not by_name(rec)["nap"].latencies  # it was never suspended


def test_those_that_began_before_have_none() -> None:
    early = naps(3)
    next(early)
    nap(0.03)
    with pyusdt.record() as rec:
        list(early)
        list(naps(1))
    function = by_name(rec)["naps"]
    assert function.latencies.total() == 1
    assert function.latency(1.0) is not None
    assert function.latency(1.0) < 30 * MS  # of the one that was seen from its beginning


def test_addresses_of_dropped_ones_are_used_again() -> None:
    """Whether or not Python reports that a suspended generator is closed, those that come to lie in
    its place have their own latency."""
    with pyusdt.record() as rec:
        for _ in range(200):
            dropped = [naps(5) for _ in range(20)]
            for generator in dropped:
                next(generator)
            del dropped, generator
        gc.collect()
        nap(0.3)
        for _ in range(100):
            list(naps(1))
    function = by_name(rec)["naps"]
    assert function.calls == 4100
    assert 100 <= function.latencies.total() <= 4100
    assert function.latency(1.0) is not None
    assert function.latency(1.0) < 300 * MS


def test_more_than_there_is_room_for() -> None:
    with pyusdt.record() as rec:
        many = [naps(1) for _ in range(150_000)]
        for generator in many:
            next(generator)
        for generator in many:
            next(generator, None)
    function = by_name(rec)["naps"]
    lost = rec.losses["coroutines without a latency"]
    assert lost >= 150_000 - 131_072
    assert function.latencies.total() + lost >= 150_000


def test_reports_show_it(tmp_path: Path) -> None:
    with pyusdt.record() as rec:
        asyncio.run(request(0.02))
        nap(0)
    outputs = {}
    for name in ("json", "csv", "table", "html"):
        path = tmp_path / name
        report.write(rec.recording, str(path), report.FORMATS[name], Options())
        outputs[name] = path.read_text()
    functions = {f["name"]: f for f in json.loads(outputs["json"])["functions"]}
    figures = functions["request"]["latency_ns"]
    assert figures["count"] == 1
    assert is_about(figures["min"], 20 * MS)
    assert figures["min"] == figures["p50"] == figures["p99"] == figures["max"]
    assert functions["nap"]["latency_ns"] is None
    (row,) = [
        row for row in csv.DictReader(outputs["csv"].splitlines()) if row["qualname"] == "request"
    ]
    assert row["latency_p50_ns"] == f"{figures['p50']}"
    assert row["latency_p99_ns"] == f"{figures['p99']}"
    assert "latency p50" in outputs["table"]
    assert f"{figures['p50']}" in outputs["html"]
