# SPDX-License-Identifier: Apache-2.0
"""What each tool of the collection answers: its tables, or its lines while it runs.

A map's key is a list of fields as its script spells it. Fields named in FUNCTIONS are functions,
whose ids stand at the end of the key, in the same order.
"""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "ns", "bytes"]

FUNCTIONS = ("function", "caller", "before")


@dataclass(frozen=True)
class Column:
    """Figures from a map."""

    name: str
    source: str
    """The map, and behind a dot which of the figures of stats()."""
    unit: Unit = "count"
    scale: float = 1
    """From the map's figures to the unit."""
    longest: bool = False
    """Of two rows for one function the greater counts, not the sum."""
    rate: bool = False
    """Its figure per second is shown, too."""
    by_id: bool = False
    """The map's key is a process and the id of a function, whatever the table's is."""


@dataclass(frozen=True)
class Table:
    """Rows of one kind: those with most of the first column come first."""

    title: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    mean: tuple[str, str] | None = None
    """These columns: the first over the second."""
    histogram: Column | None = None
    """Of what the second column counts."""
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What the numbers of a field of the key stand for."""
    text: str = ""
    """The map of a row's text, by process, function and line."""


@dataclass(frozen=True)
class Live:
    """Lines while it runs: the names of their fields, the last one with all that is left."""

    fields: tuple[str, ...]
    widths: tuple[int, ...]
    """Of all but the last one; negative: aligned left."""
    deepest: bool = False
    """Of calls, with a "+" behind the depth of those that called the ones before: the callers and
    the machinery are left out."""
    counted: str = ""
    """It prints no lines, but counts equal ones in this map, without the first field."""


@dataclass(frozen=True)
class Tool:
    """How the output of one script is read."""

    tables: tuple[Table, ...] = ()
    live: Live | None = None
    names: bool = True
    """Whether its functions have ids, which get their names."""


_FUNCTION = ("module", "function")
_CALLED = Column("calls", "@calls", rate=True)


def _timed(
    title: str, key: tuple[str, ...], counted: str, times: str, histogram: str, scale: float = 1
) -> Table:
    """How long what is `counted` took, from two maps: stats(), whose unit is `scale` ns, and hist()
    of microseconds."""
    return Table(
        title,
        key,
        (
            Column("time", f"{times}.total", "ns", scale),
            Column(counted, f"{times}.count", rate=True),
        ),
        mean=("time", counted),
        histogram=Column("histogram", histogram, "ns", 1000),
    )


TOOLS = {
    "pycalls": Tool((Table("", _FUNCTION, (_CALLED,)),)),
    "pybatch": Tool((Table("", _FUNCTION, (_CALLED, Column("calls", "@unnamed", by_id=True))),)),
    "pylat": Tool(
        (
            _timed("running", _FUNCTION, "calls", "@ns", "@us"),
            _timed("latency", _FUNCTION, "ends", "@latency_ns", "@latency_us"),
        )
    ),
    "pylines": Tool(
        (Table("", ("module", "function", "line"), (Column("runs", "@runs", rate=True),)),)
    ),
    "pyexc": Tool(
        (
            Table(
                "raised",
                ("type", "module", "function", "line"),
                (Column("raised", "@raised", rate=True),),
                text="@text",
            ),
            Table(
                "caught, and not raised again",
                ("type", "module", "function"),
                (Column("caught", "@caught", rate=True),),
            ),
        )
    ),
    "pygc": Tool(
        (
            Table(
                "",
                ("generation",),
                (
                    Column("time", "@pauses_us.total", "ns", 1000),
                    Column("pauses", "@pauses_us.count", rate=True),
                    Column("longest", "@longest_us", "ns", 1000, longest=True),
                    Column("collected", "@collected"),
                ),
                mean=("time", "pauses"),
                histogram=Column("histogram", "@us", "ns", 1000),
            ),
        ),
        names=False,
    ),
    "pymarks": Tool(
        (
            _timed("steps", ("step",), "steps", "@steps_us", "@us", 1000),
            Table("marks", ("mark",), (Column("marks", "@marks", rate=True),)),
        ),
        names=False,
    ),
    "pysys": Tool(
        (
            Table(
                "",
                ("module", "function", "call"),
                (Column("time", "@time", "ns"), Column("calls", "@calls", rate=True)),
                mean=("time", "calls"),
            ),
            Table(
                "system calls by number",
                ("module", "function", "number"),
                (Column("calls", "@others", rate=True),),
            ),
        )
    ),
    "pyoffcpu": Tool(
        (
            Table(
                "",
                ("wait", *FUNCTIONS),
                (Column("waited", "@time", "ns"), Column("waits", "@waits", rate=True)),
                mean=("waited", "waits"),
                words=(("wait", ("other", "lock", "sleep", "input, output", "child")),),
            ),
            Table(
                "locks: who released them < who had waited",
                ("function", "caller"),
                (Column("waited", "@held", "ns"), Column("releases", "@releases", rate=True)),
                mean=("waited", "releases"),
            ),
        )
    ),
    "pyprofile": Tool(
        (
            Table(
                "",
                FUNCTIONS,
                (Column("cpu", "@samples", "ns", 1e9 / 99), Column("samples", "@samples")),
            ),
        )
    ),
    "pyio": Tool(
        (
            Table(
                "",
                ("operation", "module", "function"),
                (
                    Column("time", "@us.total", "ns", 1000),
                    Column("bytes", "@bytes", "bytes", rate=True),
                    Column("operations", "@us.count"),
                    Column("longest", "@longest_us", "ns", 1000, longest=True),
                ),
                mean=("time", "operations"),
            ),
        )
    ),
    "pynet": Tool(
        (
            Table(
                "",
                ("operation", "module", "function"),
                (
                    Column("time", "@us.total", "ns", 1000),
                    Column("bytes", "@bytes", "bytes", rate=True),
                    Column("operations", "@us.count"),
                ),
                mean=("time", "operations"),
            ),
            Table(
                "failed",
                ("operation", "module", "function", "errno"),
                (Column("failed", "@failed", rate=True),),
            ),
        )
    ),
    "pyfault": Tool(
        (
            Table(
                "",
                ("module", "function", "caller"),
                (
                    Column("faults", "@faults", rate=True),
                    Column("from_disk", "@from_disk"),
                    Column("grown_bytes", "@grown", "bytes"),
                ),
            ),
        )
    ),
    "pymem": Tool(
        (
            Table(
                "",
                ("module", "function", "line"),
                (
                    Column("bytes", "@bytes", "bytes", rate=True),
                    Column("blocks", "@blocks"),
                    Column("biggest", "@biggest", "bytes", longest=True),
                ),
            ),
        )
    ),
    "pygrow": Tool(
        (
            Table(
                "",
                ("module", "function", "caller"),
                (
                    Column("ram_bytes", "@grown", "bytes"),
                    Column("freed_bytes", "@freed", "bytes"),
                    Column("asked_bytes", "@asked", "bytes"),
                ),
            ),
        )
    ),
    "pywhere": Tool(
        (
            Table(
                "",
                ("module", "function", "line"),
                (
                    Column("time", "@time", "ns"),
                    Column("calls", "@calls", rate=True),
                    Column("faults", "@faults"),
                ),
                mean=("time", "calls"),
            ),
        )
    ),
    "pygil": Tool(
        (
            Table("waited for the GIL", _FUNCTION, (Column("waited", "@waits", "ns"),)),
            Table(
                "held it meanwhile",
                _FUNCTION,
                (
                    Column("waited", "@holds", "ns"),
                    Column("longest", "@longest", "ns", longest=True),
                ),
            ),
        )
    ),
    "pystat": Tool(
        live=Live(
            ("time", "calls/s", "raised/s", "gc/s", "gc ms/s", "threads"), (-8, 9, 9, 6, 9, 8)
        ),
        names=False,
    ),
    "pyasync": Tool(
        live=Live(("time", "tid", "ms", "step in call"), (-8, -7, 9)),
        names=False,
    ),
    "pyslower": Tool(
        live=Live(("time", "tid", "ms", "depth", "call"), (-8, -7, 9, 6), deepest=True)
    ),
    "pyflow": Tool(live=Live(("tid", "us", "calls"), (-7, 9))),
    "pyexec": Tool(
        live=Live(("parent", "pid", "function", "caller", "program"), (-7, -7, -28, -28)),
        names=False,
    ),
    "pyopen": Tool(
        (
            Table(
                "",
                ("result", "mode", "by", "from", "path"),
                (Column("opens", "@opens", rate=True),),
            ),
        ),
        Live(("pid", "result", "mode", "by", "from", "path"), (), counted="@opens"),
        names=False,
    ),
}
