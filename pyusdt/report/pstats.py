# SPDX-License-Identifier: Apache-2.0
"""What cProfile dumps: a marshalled dict that `pstats.Stats(file)` reads (CPython Lib/pstats.py).

{(file, line, name): (primitive calls, calls, own seconds, total seconds, callers)}
callers: {(file, line, name): (calls, primitive calls, own seconds, total seconds)}
"""

import marshal
from typing import BinaryIO

from pyusdt.recording import CodeRecord, Recording
from pyusdt.report.names import whole
from pyusdt.report.options import Options

_Key = tuple[str, int, str]
_Figures = tuple[int, int, float, float]


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """Write all functions; pstats sorts them itself."""
    figures: dict[_Key, _Figures] = {}
    callers: dict[_Key, dict[_Key, _Figures]] = {}
    for f in recording.functions:
        key = _key(f.record)
        mine = f.primitive_calls, f.calls, f.self_ns / 1e9, f.total_ns / 1e9
        figures[key] = _sum(figures.get(key), mine)
        above = callers.setdefault(key, {})
        for index, edge in f.callers.items():
            caller = _key(recording.records[index])
            part = edge.calls, edge.primitive_calls, edge.self_ns / 1e9, edge.elapsed_ns / 1e9
            above[caller] = _sum(above.get(caller), part)
    marshal.dump({key: (*figures[key], callers[key]) for key in figures}, out)


def _key(record: CodeRecord) -> _Key:
    return whole(record.file), record.line, whole(record.qualname)


def _sum(a: _Figures | None, b: _Figures) -> _Figures:
    """Functions that pstats cannot distinguish become one."""
    return b if a is None else (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])
