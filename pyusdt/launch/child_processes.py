# SPDX-License-Identifier: Apache-2.0
"""A recording of a whole run: `python -m pyusdt -o FILE`, and the processes that it starts.

Children by fork go on recording by themselves (running.py). Others find in the environment that
there is a recording (inherited.py), when they import pyusdt or are run by it. Children of
multiprocessing's other ways to start one are made to import pyusdt first.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from pyusdt import files, libpyusdt, line_patterns, lined, rundir, running
from pyusdt.errors import UsageError, UserError, print_line, shell_word
from pyusdt.launch import inherited, kernel_account
from pyusdt.launch.options import Options
from pyusdt.memory import KINDS
from pyusdt.rundir import RunDirectory
from pyusdt.system import os

MOST_BYTES = 2_000_000
"""Of parts that become a file at once when the program has ended."""

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


class _WholeRun:
    """Records until the process ends, whatever ends it."""

    filters = ("", "")

    def __init__(self, run: RunDirectory, options: Options, block: str = "") -> None:
        self.path: str | None = run.path
        self.offers = options.children
        self.c_calls = options.c_calls
        self.times = options.times
        self.max_nodes = options.max_nodes or running.MAX_NODES
        self._profiles = line_patterns.is_profile(options.lines)
        self.lines = line_patterns.wanted(line_patterns.without_profile(options.lines))
        self.memory = KINDS[options.memory]
        self._source = options.source
        self._token = os.urandom(8).hex()
        self._run = run
        self._block = block
        self._flush = options.flush or 0
        self._save = -1

    def start(self) -> None:
        """Begin. Raises UserError."""
        with running.own_work:
            self._start()

    def _start(self) -> None:
        running.start(self)
        place = os.fsencode(self._run.directory), self._run.device, self._run.inode
        ordinal = running.new_ordinal()
        about = rundir.about(
            c_calls=self.c_calls,
            times=self.times,
            flush=self._flush,
            sources=self._token if self._source else "",
        )
        if self._profiles:
            lined.offer_profile()
        if self._source and (self._profiles or self.lines[0]):
            from pyusdt import sources  # noqa: F401 - now: what the program changes is not for us
        try:
            self._save = libpyusdt.save_begin(ordinal, *place, about, b"", b"", self._flush)
        except OSError as error:
            running.stop(self)
            raise UserError(f"{self.path}: cannot write: {_reason(error)}") from None

    def finish(self, reason: str) -> None:
        """Write. Raises UserError."""
        try:
            if self._source and running.have_lines():
                from pyusdt import sources

                sources.save(self._run, self._token, sources.captured())
            libpyusdt.save_end(self._save, reason, False)
        except OSError as error:
            raise UserError(f"{self.path}: cannot write: {_reason(error)}") from None
        finally:
            running.stop(self)

    def make_file(self) -> None:
        """That is the work of the process that began the run."""

    def begin_in_child(self) -> bool:
        """The child of a fork records for itself."""
        if not rundir.is_block_over(self._run, self._block):
            return True
        libpyusdt.save_end(self._save, None, False)
        return False


class _LaunchedRun(_WholeRun):
    """That of the process that began the run, which makes the file of it."""

    def __init__(self, run: RunDirectory, options: Options) -> None:
        super().__init__(run, options)
        # Now: what the program changes is not for us.
        from pyusdt.recording.run import finish, is_of

        self._finish = finish
        self._is_of = is_of
        self._patterns = options.only, options.lines
        if any(self._patterns):
            from pyusdt.launch.filtered import print_unmatched

            self._print_unmatched = print_unmatched
        self._children = options.children
        self._is_launched = True

    def finish(self, reason: str) -> None:
        """Write, and make the file. Raises UserError."""
        if self._is_launched:
            kernel_account.end(self._run.directory, wait=False)
        super().finish(reason)
        self.make_file()

    def make_file(self) -> None:
        """Make it, unless that takes too long. Raises UserError."""
        if not self._is_launched:
            return
        kernel_account.end(self._run.directory, wait=True)
        self._finish(self._run.path, MOST_BYTES, run=self._run)
        if not self._is_of(self._run.path, self._run.token):
            print_line(f"{self._run.path}: another run records to it, and this one is not kept")
            return
        quoted = shell_word(self._run.path)
        print_line(f"{self._run.path}: recorded; to look into it: pyusdt report {quoted}")
        if any(self._patterns):
            self._print_unmatched(self._run.path, *self._patterns)

    def begin_in_child(self) -> bool:
        """The child has not been launched."""
        self._is_launched = False
        if not self._children:
            libpyusdt.save_end(self._save, None, False)
        return self._children


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def begin(options: Options) -> None:
    """Record this process, which has been launched, as the options or the environment ask.

    Raises UserError.
    """
    if options.only or options.exclude:
        _filter(options)
    path = options.output and os.path.abspath(options.output)
    if not path or inherited.run_of(path):  # a reloader starts the same command line again
        join()
        return
    files.refuse_report(options.output or "")
    try:
        from pyusdt.recording import run
    except ImportError as error:
        raise UserError(f"cannot record: this Python has no module {error.name}") from None

    join(attend=False)
    directory, _ = run.begin(path)
    if options.kernel:
        kernel_account.launch(directory.directory, children=options.children)
    if options.children:
        inherited.offer(
            directory,
            flush=options.flush or 0,
            c_calls=options.c_calls,
            times=options.times,
            max_nodes=options.max_nodes,
            lines=options.lines,
            memory=options.memory,
            source=options.source,
            launcher=os.getpid(),
        )
    _LaunchedRun(directory, options).start()
    _attend_spawn()


def join(*, attend: bool = True) -> None:
    """Record this process to the files that the environment names, if any. An error is one line on
    stderr, and the program goes on. `attend`: so that its children of multiprocessing do, too."""
    try:
        for it in inherited.read():
            _join(it)
    except UserError as error:
        print_line(f"{error}; this process, {os.getpid()}, is not recorded")
    if attend:
        _attend_spawn()


def _join(it: inherited.Inherited) -> None:
    try:
        directory = rundir.join(it.path, it.token)
    except OSError as error:
        if it.block and isinstance(error, FileNotFoundError):
            return  # it is over, and all is written
        raise UserError(f"{it.path}: cannot write: {_reason(error)}") from None
    options = Options(
        flush=it.flush or None,
        c_calls=it.c_calls,
        times=it.times,
        max_nodes=it.max_nodes,
        lines=it.lines,
        memory=it.memory,
        source=it.source,
    )
    if rundir.is_block_over(directory, it.block):
        return
    # os.exec* has perhaps put this program in the place of the one that began the run.
    if it.launcher == os.getpid():
        _LaunchedRun(directory, options).start()
    else:
        _WholeRun(directory, options, it.block).start()


def _filter(options: Options) -> None:
    from pyusdt.remote import control_requests

    for name, value in (("PYUSDT_ONLY", options.only), ("PYUSDT_EXCLUDE", options.exclude)):
        if value:
            os.environ[name] = value
    try:
        libpyusdt.change(
            control_requests.request(only=options.only or None, exclude=options.exclude or None)
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
