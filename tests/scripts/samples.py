# SPDX-License-Identifier: Apache-2.0
"""What each tool of the collection might have counted, or printed, as bpftrace prints it as data.

Three functions of a program and one of Python's own, which are each other's callers; figures grow
from row to row.
"""

from __future__ import annotations

import json
from typing import Any

from pyusdt.tracing.derive import PART_BYTES, SEPARATOR
from pyusdt.tracing.tools import FUNCTIONS, TOOLS, Column, Table

PID = 4242
LONG = "AClassOfAClientThatWasGenerated.AnotherClassThatIsNestedInIt.method_"
FUNCTION_ROWS = (
    (1, "wrap_gift", "__main__", 110),
    (2, f"{LONG}alpha", "generated.client", 10),
    (3, "OrderService.find_orders_of_customer", "app.orders", 14),
    (4, "EpollSelector.select", "selectors", 451),
)
WORDS = {
    "line": ("112", "12", "19", "468"),
    "type": ("shop.OrderError", "KeyError", "ValueError", "OSError"),
    "generation": ("0", "1", "2", "2"),
    "step": ("load orders", "store", "send", "sweep"),
    "mark": ("refused", "retried", "sold", "seen"),
    "call": ("openat", "futex", "clock_nanosleep", "epoll_wait"),
    "number": ("435", "449", "451", "462"),
    "wait": ("2", "1", "3", "3"),
    "operation": ("read", "write", "fsync", "read"),
    "result": ("", "ENOENT", "", "EACCES"),
    "mode": ("read", "write", "append", "read"),
    "path": ("/etc/shop/prices.json", "/var/lib/shop/orders.db", "/tmp/receipt", "/etc/shadow"),
    "by": ("price_of", "Orders.open", "receipt_lines", "leak"),
    "from": ("order_total", "Shop.start", "receipt", "run"),
    "errno": ("ECONNREFUSED", "ETIMEDOUT", "EPIPE", "EAGAIN"),
}
LINES = {
    "pystat": [
        ("14:20:01", "1234567", "12", "0", "0.00", "9"),
        ("14:20:02", "9", "0", "3", "41.20", "9"),
    ],
    "pyexec": [("4242", "4243", "receipt", "Thread.run", "/usr/bin/lpr -P shop order.txt")],
    "pyasync": [("14:20:01", "4242", "50.213", "blocker in Handle._run")],
    "pyslower": [("14:20:01", "4242", "20.170", "9", "__main__:110 wrap_gift")],
    "pyflow": [("4242", "3", "  -> __main__:110 wrap_gift"), ("4242", "20170", "  <- wrap_gift")],
}


def line(kind: str, data: Any) -> bytes:
    """A line of `bpftrace -f json`."""
    return json.dumps({"type": kind, "data": data}).encode() + b"\n"


def known(*functions: tuple[int, str, str, int]) -> list[bytes]:
    """The names of functions: id, name, module, line."""
    maps: dict[str, dict[str, Any]] = {}
    for i, qualname, module, at in functions:
        for part in range(4):
            piece = qualname[part * PART_BYTES :][:PART_BYTES] or "rubbish behind the end"
            maps.setdefault(f"@pyusdt_name{part}", {})[f"{PID},{i}"] = piece
        maps.setdefault("@pyusdt_at", {})[f"{PID},{i}"] = 140000000000 + i
        maps.setdefault("@pyusdt_line", {})[f"{PID},{i}"] = at
        maps.setdefault("@pyusdt_module", {})[f"{PID},{i}"] = module
    return [line("map", {name: values}) for name, values in maps.items()]


def of(tool: str) -> list[bytes]:
    """All that a tool with tables has counted."""
    maps: dict[str, dict[str, Any]] = {}
    bars: dict[str, dict[str, Any]] = {}
    for table in TOOLS[tool].tables:
        for row in range(len(FUNCTION_ROWS)):
            key = _key(table, row)
            for place, column in enumerate(table.columns):
                _count(maps, column, f"{PID},{row + 5}" if column.by_id else key, row, place)
            if table.histogram:
                bars.setdefault(table.histogram.source, {})[key] = _bars(row)
            if table.text:
                text = f'{WORDS["type"][row]}: not an order: \'{{"number": 12'
                maps.setdefault(table.text, {})[f"{PID},{row + 1},{WORDS['line'][row]}"] = text
    lines = known(*FUNCTION_ROWS) if TOOLS[tool].names else []
    lines += [line("map", {name: values}) for name, values in maps.items()]
    return lines + [line("hist", {name: values}) for name, values in bars.items()]


def printed(tool: str) -> list[bytes]:
    """What a live tool has printed."""
    return [line("printf", f"{SEPARATOR.join(words)}\n") for words in LINES[tool]]


def _key(table: Table, row: int) -> str:
    """The fields, and behind them the ids of the functions among them, as the scripts spell it."""
    words, ids = [], []
    for field in table.key:
        at = (row + FUNCTIONS.index(field)) % len(FUNCTION_ROWS) if field in FUNCTIONS else row
        number, qualname, module, _ = FUNCTION_ROWS[at]
        if field in FUNCTIONS:
            words.append(qualname[:PART_BYTES])
            ids.append(str(number))
        else:
            words.append(module if field == "module" else WORDS[field][row])
    return ",".join(words + ids)


def _count(maps: dict[str, dict[str, Any]], column: Column, key: str, row: int, place: int) -> None:
    name, _, part = column.source.partition(".")
    amount = {"ns": 1_234_567_000, "bytes": 98_765, "count": 17}[column.unit] * 7**row
    amount = round(amount / column.scale) // (place + 1)
    if part:
        maps.setdefault(name, {}).setdefault(key, {"average": 1})[part] = amount
    else:
        maps.setdefault(name, {})[key] = amount


def _bars(row: int) -> list[dict[str, int]]:
    counts = (3, 11, 2)
    return [
        {"min": 1 << row + i, "max": (2 << row + i) - 1, "count": count}
        for i, count in enumerate(counts)
    ]
