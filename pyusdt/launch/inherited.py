# SPDX-License-Identifier: Apache-2.0
"""What a process of a run passes on to those that it starts, in the environment:

    PYUSDT_RECORDING  the path of the run's file
    PYUSDT_RUN        the token of the run
    PYUSDT_FLUSH      seconds between writes, if any
    PYUSDT_C_CALLS    1: the calls of C functions too
    PYUSDT_TIMES      sampled: the times of calls are the sampler's
    PYUSDT_MAX_NODES  the bound of calling contexts, if it is not the usual one
    PYUSDT_LINES      patterns of the functions whose lines are recorded, as --lines has them
    PYUSDT_MEMORY     which memory is recorded, as --memory has it
    PYUSDT_SOURCE     no: the texts of files are not recorded
    PYUSDT_LAUNCHER   the process that began the run and makes its file at the end, if any
    PYUSDT_BLOCK      the block of the program that is recorded, if it is not all of it: what begins
                      after its end takes no part
    PYUSDT_OUTER      the same of other runs that the process takes part in: JSON, a list of lists
    PYUSDT_ROOT       what the workers of multiprocessing have in common, which import the program
                      again and make its recorders anew

and PYUSDT_ONLY and PYUSDT_EXCLUDE, which are settings of the core. Children by fork go on recording
by themselves.
"""

import hashlib
import re
import sys
from collections import Counter
from contextlib import suppress
from json import dumps, loads
from typing import NamedTuple

from pyusdt import rundir
from pyusdt.errors import UserError
from pyusdt.memory import KINDS
from pyusdt.rundir import RunDirectory
from pyusdt.system import os

_NAMES = ("PYUSDT_RECORDING", "PYUSDT_RUN", "PYUSDT_FLUSH", "PYUSDT_C_CALLS", "PYUSDT_TIMES",
          "PYUSDT_MAX_NODES", "PYUSDT_LINES", "PYUSDT_MEMORY", "PYUSDT_SOURCE",
          "PYUSDT_LAUNCHER", "PYUSDT_BLOCK")  # fmt: skip
_OUTER = "PYUSDT_OUTER"
_ROOT = "PYUSDT_ROOT"

_ignored = os.environ.get("PYUSDT_RUN", "") if sys.flags.ignore_environment else None
"""The token of the run that python's options -E and -I keep this process out of."""
_inherited_root = os.environ.get(_ROOT, "") if _ignored is None else ""
_own_root = os.urandom(8).hex()
_imported_in = os.getpid()
_STARTS_WORKERS = re.compile("multiprocessing|loky|billiard")  # a command line of spawn, forkserver
_numbers: Counter[str] = Counter()


class Inherited(NamedTuple):
    """What this process is to take part in."""

    path: str
    token: str
    flush: float
    c_calls: bool
    times: str
    max_nodes: int | None
    lines: str
    memory: str
    source: bool
    launcher: int
    """The pid of the process that makes the file; 0: it is not known."""
    block: str
    """See `rundir.end_block`; "": it is none."""


def read() -> list[Inherited]:
    """What the environment has, outer runs first. Raises UserError where it makes no sense."""
    return [_read(values) for values in _all()]


def _read(values: list[str]) -> Inherited:
    path, token, flush, c_calls, times, max_nodes, lines, memory, source, launcher, block = values
    if not rundir.is_token(token):
        raise UserError(f"PYUSDT_RECORDING is {path}, and PYUSDT_RUN names no run of it")
    if memory not in KINDS:
        raise UserError(f"PYUSDT_MEMORY is {memory}, which is no memory that can be recorded")
    if block and not rundir.is_token(block):
        raise UserError(f"PYUSDT_BLOCK is {block}, which names no block")
    try:
        numbers = float(flush or 0), int(max_nodes or 0) or None, int(launcher or 0)
    except ValueError as error:
        raise UserError(f"PYUSDT_FLUSH, PYUSDT_MAX_NODES or PYUSDT_LAUNCHER: {error}") from None
    who = "sampled" if times == "sampled" else "exact"
    return Inherited(path, token, numbers[0], c_calls == "1", who, numbers[1], lines,
                     memory, source != "no", numbers[2], block)  # fmt: skip


def _all() -> list[list[str]]:
    """The values of all runs, in the order of the names."""
    last = [os.environ.get(name, "") for name in _NAMES]
    if not last[0] or last[1] == _ignored:
        return []
    outer: list[list[str]] = []
    with suppress(ValueError, TypeError):
        outer = [[*map(str, values)] for values in loads(os.environ.get(_OUTER) or "[]")]
    return [*(values for values in outer if len(values) == len(_NAMES)), last]


def _put(runs: list[list[str]]) -> None:
    for name, value in zip(_NAMES, runs[-1] if runs else [""] * len(_NAMES), strict=True):
        if runs:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)
    if runs[:-1]:
        os.environ[_OUTER] = dumps(runs[:-1])
    else:
        os.environ.pop(_OUTER, None)


def run_of(path: str) -> str | None:
    """The token of the run to that file that this process is part of, if there is one."""
    return next((v[1] for v in _all() if v[0] == path and rundir.is_token(v[1])), None)


def offer(
    run: RunDirectory,
    *,
    flush: float = 0,
    c_calls: bool = False,
    times: str = "exact",
    max_nodes: int | None = None,
    lines: str = "",
    memory: str = "",
    source: bool = True,
    launcher: int = 0,
    block: str = "",
) -> None:
    """Have the processes that this one starts take part, too."""
    who = times if times != "exact" else ""
    values = [run.path, run.token, f"{flush:g}" if flush else "", "1" if c_calls else "", who,
              str(max_nodes or ""), lines, memory, "" if source else "no", str(launcher or ""),
              block]  # fmt: skip
    _put([*_all(), values])


def withdraw(run: RunDirectory, block: str) -> None:
    """Have them do so no more."""
    _put([v for v in _all() if (v[1], v[-1]) != (run.token, block)])


def number_of(path: str) -> int:
    """Of a recorder that this process makes for the path: 0, 1, ... in order."""
    os.environ[_ROOT] = _root()
    _numbers[path] += 1
    return _numbers[path] - 1


def token(path: str, number: int) -> str:
    """Of the run of that recorder: the same in all workers of one program."""
    whole = f"{_root()} {number} ".encode() + os.fsencode(path)
    return hashlib.blake2b(whole, digest_size=8).hexdigest()


def _root() -> str:
    if os.getpid() != _imported_in and not _STARTS_WORKERS.search(" ".join(sys.orig_argv[1:3])):
        return _own_root  # a fork of the program itself, whatever that one has inherited
    return _inherited_root if _is_worker() and _inherited_root else _own_root


def _is_worker() -> bool:
    """Whether multiprocessing has started this process, and is perhaps still preparing it."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    return process.parent_process() is not None or bool(
        getattr(process.current_process(), "_inheriting", False)
    )
