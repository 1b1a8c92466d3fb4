# SPDX-License-Identifier: Apache-2.0
"""A small order service to trace: its work, its callers and callees, and its slow parts.

    python examples/service.py [--seconds N] [--rate ORDERS_A_SECOND]

An asyncio loop takes orders from a load generator in the same process and hands each to a pool of
worker threads: parse, price, store (SQLite in memory), render. One order in fifty is malformed, one
in forty asks for a gift wrap, which is slow. Once a second the loop itself archives, and serves no
order meanwhile: a mistake to find. Once a second a worker keeps house: a journal, metrics, a check
of the disk, statistics of all orders. The service prints `ready` when it serves, and its results
when it ends: after --seconds, or at SIGTERM or Ctrl-C.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pyusdt

WORKERS = 4
MALFORMED_EVERY = 50
GIFT_EVERY = 40
PRICES = {"tea": 4.20, "coffee": 6.90, "cocoa": 5.50, "biscuits": 2.10}
RECEIPT = Template("Order $number\n$lines\nTotal: $total EUR\n")


class OrderError(Exception):
    """A customer's mistake: the service refuses the order and goes on."""


@dataclass(frozen=True)
class Order:
    number: int
    items: dict[str, int]
    gift: bool


class Store:
    """Orders in SQLite; one connection, so one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute("CREATE TABLE orders (number INTEGER PRIMARY KEY, total REAL)")

    def save(self, order: Order, total: float) -> None:
        with self._lock, self._database:
            self._database.execute("INSERT INTO orders VALUES (?, ?)", (order.number, total))

    def turnover(self) -> float:
        with self._lock:
            row = self._database.execute("SELECT coalesce(sum(total), 0) FROM orders").fetchone()
        return float(row[0])

    def orders(self) -> list[tuple[int, float]]:
        with self._lock:
            return self._database.execute("SELECT number, total FROM orders").fetchall()


def parse_order(body: str) -> Order:
    try:
        data = json.loads(body)
        return Order(data["number"], data["items"], data.get("gift", False))
    except (ValueError, KeyError) as e:
        raise OrderError(f"not an order: {body[:20]!r}") from e


def price_order(order: Order) -> float:
    total = 0.0
    for name, count in order.items.items():
        total += price_item(name, count)
    return round(total, 2)


def price_item(name: str, count: int) -> float:
    return PRICES[name] * count * discount(count)


def discount(count: int) -> float:
    return 0.9 if count >= 3 else 1.0


def render_receipt(order: Order, total: float) -> str:
    lines = "\n".join(receipt_lines(order))
    return RECEIPT.substitute(number=order.number, lines=lines, total=f"{total:.2f}")


def receipt_lines(order: Order) -> Iterator[str]:
    for name, count in order.items.items():
        yield f"{count:3} x {name}"
    if order.gift:
        yield wrap_gift(order)


def wrap_gift(order: Order) -> str:
    """The slow path: somebody has to find the ribbon."""
    time.sleep(0.02)
    return f"    gift wrap for {order.number}"


def handle_order(store: Store, body: str) -> str:
    order = parse_order(body)
    with pyusdt.step("price"):
        total = price_order(order)
    with pyusdt.step("save"):
        store.save(order, total)
    return render_receipt(order, total)


def make_body(number: int, dice: random.Random) -> str:
    if number % MALFORMED_EVERY == 0:
        return '{"number": '
    items = {name: dice.randint(1, 4) for name in dice.sample(sorted(PRICES), k=2)}
    return json.dumps({"number": number, "items": items, "gift": number % GIFT_EVERY == 0})


class Service:
    def __init__(self) -> None:
        self.store = Store()
        self.results: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="worker")

    async def serve(self, body: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, handle_order, self.store, body)
            self.results["served"] += 1
        except OrderError:
            self.results["refused"] += 1
            pyusdt.mark("refused")

    async def archive_orders(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.archive()

    def archive(self) -> None:
        time.sleep(0.03)

    async def keep_house(self, house: "Housekeeping") -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            await loop.run_in_executor(self._pool, house.work)

    def close(self) -> None:
        self._pool.shutdown()

    async def generate_load(self, rate: float, stop: asyncio.Event) -> None:
        """Send orders at an even rate until `stop`, then wait for those in progress."""
        dice = random.Random(42)
        number = 0
        async with asyncio.TaskGroup() as orders:
            while not stop.is_set():
                number += 1
                orders.create_task(self.serve(make_body(number, dice)))
                await asyncio.sleep(1 / rate)


async def run(seconds: float | None, rate: float) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    service = Service()
    print("ready", flush=True)
    with tempfile.TemporaryDirectory(prefix="orders-") as directory:
        house = Housekeeping(service, Path(directory))
        others = [service.archive_orders(), service.keep_house(house)]
        tasks = [asyncio.create_task(other) for other in others]
        await service.generate_load(rate, stop)
        for task in tasks:
            task.cancel()
        service.close()
    done = ", ".join(f"{count} {name}" for name, count in sorted(service.results.items()))
    print(f"orders: {done or 'none'}; turnover {service.store.turnover():.2f} EUR")


class Housekeeping:
    """The work that a worker does once a second."""

    def __init__(self, service: Service, directory: Path) -> None:
        self._service = service
        self._directory = directory

    def work(self) -> None:
        self.write_journal()
        self.send_metrics()
        self.check_disk()
        self.summarize()

    def write_journal(self) -> None:
        with open(self._directory / "journal", "a") as journal:
            journal.write(json.dumps(self._service.results) + "\n")
            journal.flush()
            os.fsync(journal.fileno())

    def send_metrics(self) -> None:
        """Send metrics in the format of statsd; it need not be running."""
        with socket.socket(type=socket.SOCK_DGRAM) as metrics:
            metrics.connect(("127.0.0.1", 8125))
            try:
                for name, count in dict(self._service.results).items():
                    metrics.send(f"orders.{name}:{count}|g".encode())
            except ConnectionRefusedError:
                pass

    def check_disk(self) -> None:
        subprocess.run(["df", self._directory], stdout=subprocess.DEVNULL, check=True)

    def summarize(self) -> dict[int, list[dict[str, float]]]:
        """Group all orders by the hundred each time; the work grows."""
        hundreds: dict[int, list[dict[str, float]]] = {}
        for number, total in self._service.store.orders():
            hundreds.setdefault(number // 100, []).append({"number": number, "total": total})
        return hundreds


def main() -> None:
    parser = argparse.ArgumentParser(description="A small order service to trace.")
    parser.add_argument("--seconds", type=float, help="how long (default: until SIGTERM)")
    parser.add_argument("--rate", type=float, default=200, help="orders a second (default: 200)")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.seconds, arguments.rate))


if __name__ == "__main__":
    main()
