# SPDX-License-Identifier: Apache-2.0
"""A recording of a whole run: `python -m pyusdt -o FILE`, and the processes that it starts.

Children by fork go on recording by themselves (recorder.py). Others find in the environment that
there is a recording, when they import pyusdt or are run by it:

    PYUSDT_RECORDING  the file
    PYUSDT_FLUSH      seconds between writes, if any
    PYUSDT_C_CALLS    1: the calls of C functions too

and PYUSDT_ONLY and PYUSDT_EXCLUDE, which are settings of the core. Children of multiprocessing's
other ways to start one are made to import pyusdt first.
"""

import os
import shlex
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from pyusdt import libpyusdt
from pyusdt.errors import UsageError, UserError, print_line
from pyusdt.launch.options import Options
from pyusdt.recorder import record
from pyusdt.remote import control_layout

SPAWN = "multiprocessing.spawn"

_IMPORT = """
import sys
sys.path.append({directory!r})
try:
    import pyusdt
except Exception:
    pass
finally:
    sys.path.remove({directory!r})
"""


class _WholeRun(record):
    """Records until the process ends, whatever ends it."""

    def __init__(self, path: str, launching: bool, c_calls: bool, flush: float | None) -> None:
        super().__init__(path, c_calls=c_calls, flush=flush, join=not launching)
        self._launched_pid = os.getpid() if launching else 0

    def _end(self, reason: str) -> None:
        super()._end(reason)
        if os.getpid() == self._launched_pid:
            quoted = shlex.quote(f"{self.path}")
            print_line(f"{self.path}: recorded; to look into it: pyusdt report {quoted}")


def begin(options: Options) -> None:
    """Record this process, which has been launched, as the options or the environment ask.

    Raises UserError.
    """
    if options.only or options.exclude:
        _filter(options)
    if options.output is None:
        join()
        return
    os.environ["PYUSDT_RECORDING"] = os.path.abspath(options.output)
    os.environ["PYUSDT_FLUSH"] = str(options.flush or "")
    os.environ["PYUSDT_C_CALLS"] = "1" if options.c_calls else ""
    _WholeRun(options.output, True, options.c_calls, options.flush).__enter__()
    _attend_spawn()


def join() -> None:
    """Record this process to the file that the environment names, if any. An error is one line on
    stderr, and the program goes on."""
    path = os.environ.get("PYUSDT_RECORDING")
    if not path:
        return
    try:
        flush = float(os.environ.get("PYUSDT_FLUSH") or 0) or None
        c_calls = os.environ.get("PYUSDT_C_CALLS") == "1"
        _WholeRun(path, False, c_calls, flush).__enter__()
    except (UserError, ValueError) as error:
        print_line(f"{error}; this process, {os.getpid()}, is not recorded")
    _attend_spawn()


def _filter(options: Options) -> None:
    for name, value in (("PYUSDT_ONLY", options.only), ("PYUSDT_EXCLUDE", options.exclude)):
        if value:
            os.environ[name] = value
    try:
        libpyusdt.change(
            control_layout.request(only=options.only or None, exclude=options.exclude or None)
        )
    except ValueError as error:
        raise UsageError(f"--only or --exclude: {error}") from None


class _Ticket:
    """Unpickled in a child of multiprocessing before anything of the program's is, has it import
    pyusdt, which then joins; a child that has no pyusdt goes on without."""

    def __reduce__(self) -> tuple[Any, ...]:
        directory = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        return exec, (_IMPORT.format(directory=directory), {})


class _SpawnFinder(MetaPathFinder):
    """Waits for the program to import multiprocessing's module of that name, which has what a child
    is sent, and then is gone: few programs do, and those that do not should not have it."""

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != SPAWN:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        loader: Any = spec and spec.loader
        if loader is None:
            return spec
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _send_ticket(module)

        loader.exec_module = exec_module
        return spec


def _attend_spawn() -> None:
    if SPAWN in sys.modules:
        _send_ticket(sys.modules[SPAWN])
    else:
        sys.meta_path.insert(0, _SpawnFinder())


def _send_ticket(spawn: Any) -> None:
    prepare = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        data: dict[str, Any] = prepare(name)
        data["pyusdt"] = _Ticket()
        return data

    spawn.get_preparation_data = get_preparation_data
