# SPDX-License-Identifier: Apache-2.0
"""The maps that a tool has printed, read into the rows of its tables."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyusdt.tracing.derive import NAME_PARTS, joined
from pyusdt.tracing.fold import is_machinery
from pyusdt.tracing.tools import FUNCTIONS, Column, Table, Tool

# bpftrace 0.27 prints the counts of histograms in base 16 once it has escaped a control character.
_COUNT = re.compile(r'"count": ([0-9a-f]+)')


class Function(NamedTuple):
    """A function as far as it is known."""

    qualname: str
    module: str
    line: int
    """0: unknown."""


Histogram = dict[tuple[float, float], int]
"""Counts by the lowest and the highest value of a row."""


@dataclass
class Row:
    """What is known of one function, step or generation."""

    labels: dict[str, str | int]
    functions: tuple[Function, ...]
    figures: dict[str, float] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=dict)
    text: str = ""

    @property
    def is_machinery(self) -> bool:
        """Whether its function is Python's and its library's own."""
        return bool(self.functions) and is_machinery(self.functions[0].module)


class Maps:
    """All maps that bpftrace has printed, line by line."""

    def __init__(self) -> None:
        self._maps: dict[str, dict[str, Any]] = {}
        self._functions: dict[str, list[Function]] | None = None

    def add(self, data: Mapping[str, Any]) -> None:
        """Take the data of one line."""
        for name, values in data.items():
            self._maps[name] = values if isinstance(values, dict) else {"": values}

    def __getitem__(self, name: str) -> dict[str, Any]:
        """The map of this name; an empty one if it has no value."""
        return self._maps.get(name, {})

    def functions(self) -> dict[str, list[Function]]:
        """All known functions by id: of several processes, there may be several."""
        if self._functions is None:
            self._functions = {}
            for key in self["@pyusdt_at"]:
                found = self._functions.setdefault(key.rpartition(",")[2], [])
                if (function := self._function(key)) not in found:
                    found.append(function)
        return self._functions

    def function(self, key: str) -> Function | None:
        """The one of a process: `key` is "PID,ID"."""
        return self._function(key) if key in self["@pyusdt_at"] else None

    def _function(self, key: str) -> Function:
        parts = [str(self[f"@pyusdt_name{i}"].get(key, "")) for i in range(NAME_PARTS)]
        return Function(
            joined(parts),
            str(self["@pyusdt_module"].get(key, "")),
            int(self["@pyusdt_line"].get(key, 0)),
        )


def parsed(line: bytes) -> dict[str, Any] | None:
    """A line of `bpftrace -f json`; None: it is none. What is no UTF-8, a name that was cut in the
    middle of a letter, keeps its bytes."""
    text = line.decode(errors="surrogateescape")
    if text.startswith('{"type": "hist"'):
        text = _COUNT.sub(r'"count": "\1"', text)
    try:
        data = json.loads(text, strict=False)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def rows(table: Table, tool: Tool, maps: Maps) -> list[Row]:
    """The rows of a table, those with most first."""
    found: dict[object, Row] = {}
    for column in table.columns:
        for row, value in _values(table, tool, maps, column):
            known = found.setdefault((*row.labels.items(), row.functions), row)
            before = known.figures.get(column.name, 0)
            known.figures[column.name] = max(before, value) if column.longest else before + value
    if table.histogram:
        for row, bars in _histograms(table, tool, maps, table.histogram):
            known = found.setdefault((*row.labels.items(), row.functions), row)
            for bounds, count in bars.items():
                known.histogram[bounds] = known.histogram.get(bounds, 0) + count
    first = table.columns[0].name
    some = [row for row in found.values() if any(row.figures.values())]
    return sorted(some, key=lambda row: -row.figures.get(first, 0))


def _values(table: Table, tool: Tool, maps: Maps, column: Column) -> Iterator[tuple[Row, float]]:
    name, _, part = column.source.partition(".")
    texts = {key.partition(",")[2]: str(text) for key, text in maps[table.text].items()}
    for key, value in maps[name].items():
        number = value.get(part, 0) if isinstance(value, dict) else value
        if not isinstance(number, int | float):
            continue
        if column.by_id:
            row = Row({}, (maps.function(key) or _nameless(key),))
        else:
            row = _row(key, table.key, tool.names, maps)
        for label, words in table.words:
            row.labels[label] = dict(enumerate(words)).get(int(row.labels[label]), "")
        if texts:
            row.text = texts.get(f"{key.rpartition(',')[2]},{row.labels['line']}", "")
        yield row, number * column.scale


def _nameless(key: str) -> Function:
    pid, _, id_ = key.partition(",")
    return Function(f"function {id_} of process {pid}", "", 0)


def _histograms(
    table: Table, tool: Tool, maps: Maps, column: Column
) -> Iterator[tuple[Row, Histogram]]:
    name, _, part = table.columns[1].source.partition(".")  # how many there are
    for key, bars in maps[column.source].items():
        row = _row(key, table.key, tool.names, maps)
        expected = int(maps[name].get(key, {}).get(part, 0))
        counts = _counts([str(bar["count"]) for bar in bars], expected)
        bounds = (_bounds(bar, column.scale) for bar in bars)
        yield row, {b: count for b, count in zip(bounds, counts, strict=True) if count}


def _counts(texts: list[str], expected: int) -> list[int]:
    """Counts of a histogram, in the base in which they come to what is `expected`."""
    bases = [10, 16] if all(text.isdecimal() for text in texts) else [16]
    candidates = [[int(text, base) for text in texts] for base in bases]
    return min(candidates, key=lambda counts: abs(sum(counts) - expected))


def _bounds(bar: dict[str, int], scale: float) -> tuple[float, float]:
    low = bar.get("min", 0)
    return low * scale, (bar.get("max", low) + 1) * scale


def _row(key: str, fields: tuple[str, ...], named: bool, maps: Maps) -> Row:
    """The row of a key, without figures."""
    wanted = [name for name in fields if name in FUNCTIONS] if named else []
    words = key.split(",")
    ids = words[len(words) - len(wanted) :]
    labels = dict(zip(fields, _fitted(words[: len(words) - len(wanted)], fields), strict=True))
    module = labels.pop("module", "") if wanted else ""
    functions = tuple(
        _named(labels.pop(name), module if name == "function" else "", id_, maps)
        for name, id_ in zip(wanted, ids, strict=True)
    )
    numbers = {n: int(text) if text.lstrip("-").isdecimal() else text for n, text in labels.items()}
    return Row(numbers, functions)


def _fitted(words: list[str], fields: tuple[str, ...]) -> list[str]:
    """As many words as fields: a comma too many belongs to the function's name, or to the last."""
    surplus = len(words) - len(fields)
    if surplus < 0:
        return words + [""] * -surplus
    at = fields.index("function") if "function" in fields else len(fields) - 1  # of a path
    return [*words[:at], ",".join(words[at : at + surplus + 1]), *words[at + surplus + 1 :]]


def _named(name: str, module: str, id_: str, maps: Maps) -> Function:
    """The function with this id whose name begins so: the script has cut it."""
    begin = name.encode(errors="surrogateescape")
    candidates = [
        function
        for function in maps.functions().get(id_, ())
        if function.qualname.encode(errors="replace").startswith(begin)
    ]
    if len(candidates) == 1:
        return candidates[0]
    return Function(begin.decode(errors="replace"), "" if module == "?" else module, 0)
