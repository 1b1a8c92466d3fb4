# SPDX-License-Identifier: Apache-2.0
"""The compiled core: probes, demand, the watcher and the events."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from types import CodeType, TracebackType
from typing import Any, Literal, Self, final, overload

DORMANT: tuple[str | None, ...]
"""Why no event is enabled although some are wanted, by the struct's PYUSDT_DORMANT_*."""

def start() -> None:
    """Start the watcher and check demand: wanted events are on when this returns. Idempotent. Where
    there is no thread for it, that is one line on stderr, and nothing is enabled."""

def stop() -> None:
    """Switch all events off, give the tool id back and join the watcher. Idempotent."""

def wait(timeout: float | None) -> bool:
    """Wait until a probe is in demand: True, or False after `timeout` seconds (None: no limit).

    Signals are handled while waiting: KeyboardInterrupt passes. Switches no events on.
    """

def snapshot() -> bytes:
    """Return the struct pyusdt_control as others see it, brought up to this moment.

    include/pyusdt_control.h has its layout, and `pyusdt.remote.control_layout.snapshot` reads it.
    """

def check(request: bytes, /) -> None:
    """Raise ValueError where a struct pyusdt_request is not good, for the reason it gives.

    `pyusdt.remote.control_requests.request` makes one.
    """

def change(request: bytes, /) -> None:
    """Do what a struct pyusdt_request asks for, or raise ValueError as `check` does."""

def probes() -> list[tuple[str, tuple[str, ...], str, tuple[str, ...], str]]:
    """Return the probe table: (name, arguments, summary, needs, provider) of each probe.

    `arguments` are "type name", in the order of arg0, arg1 and so on, with str, i32, u32, i64, u64
    and ptr for types; `needs` are the events of `sys.monitoring` that go on while it is watched.
    """

def mark(name: str, value: object = None) -> None:
    """Report to every reader that something happened here, and perhaps how much.

    The probe `mark` gets `name`, the value as text, and the value as a 64-bit integer: of an int or
    a float, cut towards zero; 0 where it does not fit, is anything else, or is None. The text is
    made without running code of `value`, unless PYUSDT_VALUES=repr asks for repr(); it is "" for
    None, and with PYUSDT_VALUES=off. Costs next to nothing without a reader.

    Raises TypeError unless `name` is a str.
    """

@final
class Step:
    """A step with a name, as `step(name)` makes it: a context manager and a decorator."""

    @property
    def name(self) -> str:
        """What readers know it by."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Literal[False]: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def _moved(self) -> Self:
        """Return a step that has the entry of the calling frame, which this one has no more."""
    @overload
    def __call__[**P, R](self, function: staticmethod[P, R]) -> staticmethod[P, R]: ...
    @overload
    def __call__[T, **P, R](self, function: classmethod[T, P, R]) -> classmethod[T, P, R]: ...
    @overload
    def __call__[Function: Callable[..., Any]](self, function: Function) -> Function:
        """Return a function like `function`, each call of which is this step."""

def step(name: str) -> Step:
    """Make a step of a block, or of each call of a function.

    Readers get the name when it starts (probe `step__start`), and the name and its nanoseconds when
    it ends, by an exception too (`step__done`).

        with pyusdt.step("load"):
            ...

        @pyusdt.step("load")
        def load(): ...

    Decorates functions, async functions, generators and async generators, above or below
    @staticmethod and @classmethod, and other callables, which keep their attributes. The step of a
    generator or coroutine lasts from its first resumption to its end; that of a function that
    returns an awaitable, until that is done. Time in which they are suspended counts. One object
    may be used again and at the same time, in recursion, threads and tasks: each `with` has a time
    of its own. (Entered through ExitStack or by hand, uses of one object must nest.)

    Raises TypeError unless `name` is a str, or what is decorated is a callable and no class.
    """

@overload
def steps[Item](iterable: Iterable[Item], name: str) -> Iterator[Item]:
    """Return the items of `iterable`; each pass through the loop's body is a step called `name`.

        for row in pyusdt.steps(rows, "row"):
            ...

    The step ends when the next item is asked for, and when break, return or an exception leaves the
    loop; the time that `iterable` takes itself is none of it. What only `async for` can walk is
    handed out to `async for`. What has a length keeps it, for progress bars.

    Raises TypeError unless `name` is a str and `iterable` is iterable; what `iterable` raises
    passes.
    """

@overload
def steps[Item](iterable: AsyncIterable[Item], name: str) -> AsyncIterator[Item]: ...
def record(
    c_calls: bool,
    sampled: bool,
    max_nodes: int,
    only: str,
    exclude: str,
    lines: str,
    of_program: bool,
    memory: int,
) -> bool:
    """Keep call trees of all threads from now on, or go on with these options. `sampled`: no clock
    is read at calls, and the times are the sampler's. `lines`: patterns of the functions whose
    lines are recorded, "" for none; `of_program`: a "*" at the beginning is not about the standard
    library, nor about what is installed.

    Functions that the filters leave out may be in them all the same, when a tracer wants them too.
    False where no events can be had: other tools hold the ids of sys.monitoring.
    """

def lines_mark(code: CodeType, namespace: dict[str, object], /) -> None:
    """Have every recording record the lines of this code object, of a function with these globals.

    Raises TypeError for anything but a code object.
    """

def lined_files() -> set[str]:
    """Return the files of the functions whose lines are, or were, recorded."""

def record_stop() -> None:
    """Keep them no more, unless a tracer wants it."""

def allocated() -> tuple[int, int, int, int]:
    """Return the bytes and blocks that are alive of what was allocated since memory is recorded,
    and those when the process had the most bytes alive."""

def recorded() -> bytes:
    """Return what has been counted until now: see `pyusdt.recording.counts.unpack`."""

def save_begin(
    ordinal: int,
    directory: bytes,
    device: int,
    inode: int,
    about: str,
    base: bytes,
    before: bytes,
    flush: float,
    /,
) -> int:
    """Save what is recorded to a part (include/pyusdt_part.h) in a directory, every `flush` seconds
    (0: at the end only), and return the save's number.

    The part of the same `ordinal` in this process is replaced. `device` and `inode` are those of
    the directory; `base` has counts of earlier times of the same recording, and `before` those that
    do not belong to it. Raises OSError.
    """

def save_end(number: int, why: str | None, wanted: bool, /) -> bytes | None:
    """Write the save whole, with why it ended, and forget it; None: write nothing. Raises OSError,
    and has forgotten it then, too. Return the counts, if they are wanted and there is memory."""

def save_all(why: str, /) -> None:
    """Write all saves whole, with why; they go on. Raises OSError."""

def on_ending(callback: Callable[[str], object] | None, /) -> None:
    """Have callback(name) called when all is saved, before the signal of that name ends the
    process. What it raises is dropped."""

def hold(on: bool, /) -> None:
    """Have signals whose handlers may raise an exception in this thread wait, or no longer."""

def held(callback: Callable[[str], None], argument: str, /) -> None:
    """Call it while such signals wait."""

def hide(hidden: bool) -> None:
    """From now on what this thread does is not recorded, or it is again."""

def at_program(callback: Callable[[], object], /) -> None:
    """Call it when site is done and Python comes to the program, or at once if site does not run.

    What it raises passes only from a call at once.
    """

def count_started(on: bool, /) -> None:
    """Count the programs that this process starts from now on, or cease to."""

def exec_begins(program: object, /) -> None:
    """Count a program that os.exec* is about to put in the place of this one, while programs are
    counted, before its audit event does."""

def started() -> list[tuple[str, int]]:
    """Return (name, count) of the programs that were counted, as they were named to subprocess,
    os.exec*, os.posix_spawn* or os.system (the shell), in the order of their first starts.

    There are at most 64, the last of which may be "(others)". The child of a fork begins with none.
    """
