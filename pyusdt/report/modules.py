# SPDX-License-Identifier: Apache-2.0
"""The table of modules: own time of all their functions, and what these spent in C functions."""

from collections import defaultdict
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from pyusdt.recording import Function, Recording
from pyusdt.recording.charges import MEASURES, Charges, total
from pyusdt.report.bars import made_of
from pyusdt.report.columns import Cell, Column, Name, Row, table
from pyusdt.report.readings import Reading, sampled
from pyusdt.report.text import duration, number, printable, share

# The higher the rank, the sooner a column is left out.
_CHARGED = (
    Column("cpu"),
    Column("of cpu", 4),
    Column("", 5, left=True),
    Column("wait", 1),
    Column("self", 3),
)
_MEASURED = (Column("self"), Column("share", 4))
_NATIVE = Column("native", 2)
_COUNTS = (Column("calls", 6), Column("functions", 7))


@dataclass(frozen=True, slots=True)
class _Module:
    """`native_ns` is None where it is not known of any function."""

    name: str
    charges: Charges
    self_ns: int
    native_ns: int | None
    calls: int
    functions: int

    def weight(self, measure: str) -> tuple[int, int]:
        """By what modules are sorted."""
        if measure in MEASURES:
            return sampled(self.charges, measure, self.self_ns).ns or 0, self.self_ns
        return {"calls": self.calls, "native": self.native_ns or 0}.get(measure, 0), self.self_ns


def print_modules(console: Console, recording: Recording, measure: str, top: int | None) -> None:
    """Print the modules, those with the most of `measure` first: one of MEASURES, calls, native, or
    else own wall time."""
    modules = sorted(_modules(recording), key=lambda it: it.weight(measure), reverse=True)
    whole = sum(it.charges.cpu_ns for it in modules)
    columns = [*(_CHARGED if "cpu" in recording.known else _MEASURED)]
    if "native" in recording.known:
        columns.append(_NATIVE)
    rows: list[Row] = [
        (_cells(it, recording, whole), Name(printable(it.name, 100) or "(no module)"))
        for it in modules[:top]
    ]
    console.print(table([*columns, *_COUNTS], rows, "module", console.width))
    if hidden := len(modules) - len(rows):
        console.print(Text(f"{hidden:,} more modules: --top {len(modules)}", "dim"))


def _modules(recording: Recording) -> list[_Module]:
    functions: dict[str, list[Function]] = defaultdict(list)
    for f in recording.functions:
        functions[f.record.module].append(f)
    return [_module(name, some) for name, some in functions.items()]


def _module(name: str, functions: list[Function]) -> _Module:
    native = [ns for f in functions if (ns := f.native_ns) is not None]
    return _Module(
        name,
        total(f.charges for f in functions),
        sum(f.self_ns for f in functions),
        sum(native) if native else None,
        sum(f.calls for f in functions),
        len(functions),
    )


def _cells(it: _Module, recording: Recording, whole: int) -> tuple[Cell, ...]:
    charges = it.charges
    looks = charges.looks("cpu") + charges.looks("wait")
    own = str(Reading(it.self_ns, None if recording.times == "exact" else looks))
    counts = number(it.calls), number(it.functions)
    native = [duration(it.native_ns)] if "native" in recording.known else []
    if "cpu" not in recording.known:
        return own, share(it.self_ns, recording.self_ns), *native, *counts
    cpu = sampled(charges, "cpu", it.self_ns)
    return (
        str(cpu),
        cpu.of(whole),
        made_of(charges.cpu_ns, charges.waits),
        str(sampled(charges, "wait", it.self_ns)),
        own,
        *native,
        *counts,
    )
