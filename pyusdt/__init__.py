# SPDX-License-Identifier: Apache-2.0
"""USDT probes for Python programs: import this, and tracers can follow what Python does.

Importing starts the core: a watcher that enables events while a tracer wants them. Raises
ImportError, with the reason and the remedy, where that is not possible.
"""

import os
import sys

from pyusdt._version import __version__


def _require_platform() -> None:
    """Raise ImportError where there is no sys.monitoring or where no tracer reads USDT probes."""
    remedy = "run the program with CPython 3.12 or newer on Linux"
    if sys.implementation.name != "cpython":
        raise ImportError(f"pyusdt needs CPython and this is {sys.implementation.name}: {remedy}")
    if sys.version_info < (3, 12):  # noqa: UP036 - a checkout is imported by any Python
        version = ".".join(map(str, sys.version_info[:3]))
        raise ImportError(f"pyusdt needs sys.monitoring and Python {version} has none: {remedy}")
    if not sys.platform.startswith("linux"):
        raise ImportError(f"pyusdt needs Linux's probes and this is {sys.platform}: {remedy}")


_require_platform()  # before anything that older Pythons would stumble over

TYPE_CHECKING = False  # what type checkers take for true, without importing typing
if TYPE_CHECKING:
    from os import PathLike

    from pyusdt.errors import UserError
    from pyusdt.lined import lines
    from pyusdt.recorder import record
    from pyusdt.recording import Recording
    from pyusdt.remote.control_layout import Status, Values

__all__ = [
    "UserError",
    "__version__",
    "configure",
    "lines",
    "load",
    "mark",
    "record",
    "status",
    "step",
    "steps",
]

_LAZY = {"UserError": "pyusdt.errors", "lines": "pyusdt.lined", "record": "pyusdt.recorder"}


def __getattr__(name: str) -> object:
    """Import what a program that only imports this does not need."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return found


def __dir__() -> list[str]:
    """What is there, and what would be imported: so dir() and help() show it."""
    return sorted({*globals(), *_LAZY})


def load(path: "str | PathLike[str]") -> "Recording":
    """Return the recording in the file at `path`, with all its processes.

    Of a run that is not over, or was killed, it has what each process wrote last. Of a large
    recording, call trees are read when they are asked for. Neither the file nor what lies beside it
    is changed.

    Raises UserError when it is missing, no recording, of a newer format, or damaged.
    """
    from pyusdt import recording  # sqlite3 is not for every program that imports this

    return recording.load(path)


def status() -> "Status":
    """Return what pyusdt does in this process at this moment.

    A dict: which probes tracers watch and which events are enabled for them, how often each probe
    has fired, what was lost, and the settings in effect. `Status` of pyusdt.remote.control_layout
    describes its keys.
    """
    from pyusdt.remote import control_layout

    return control_layout.snapshot(libpyusdt.snapshot()).status


def configure(
    *,
    only: str | None = None,
    exclude: str | None = None,
    values: "Values | None" = None,
    slow: str | float | None = None,
    large: str | int | None = None,
) -> None:
    """Change settings of this process, at once and for as long as it lives. None keeps a setting.

    only     patterns of the functions to trace, "" for all. A pattern is `module:qualname`, in
             which * stands for any characters and ? for one; without a colon, a module and all
             below it. Commas separate patterns.
    exclude  patterns of functions not to trace, even where `only` has them; "" for none.
    values   how values become text: "safe" never runs code of the program, "repr" calls repr(),
             "off" makes them "".
    slow     how long a call takes for function__slow to fire: a time like "10ms", "500us", "1.5s",
             a number of seconds, or "off".
    large    how many bytes are allocated at once for mem__large to fire: a size like "64KiB",
             "1MB", or a number of bytes; 1 or more, less than 4 GiB.

    Raises ValueError where a value is not good, and TypeError where it is of another type; nothing
    is changed then. function__done does not fire for a call in progress whose caller a change of
    the filters affects.
    """
    from pyusdt.remote import control_requests

    libpyusdt.change(
        control_requests.request(only=only, exclude=exclude, values=values, slow=slow, large=large)
    )


def _launched() -> bool:
    """Whether this import belongs to the command line, which starts the core by itself.

    While Python looks for the module of -m, sys.argv[0] is "-m" and the module's name, which may
    be glued to the option, is the word of the command line before sys.argv[1:].
    """
    if sys.argv[:1] != ["-m"]:
        return os.path.basename(sys.argv[0]) == "pyusdt" if sys.argv[:1] else False
    word = sys.orig_argv[-len(sys.argv)]
    return word == "pyusdt" or (word.startswith("-") and word.endswith("mpyusdt"))


def _is_helper() -> bool:
    """Whether this is a process of multiprocessing's, or loky's, in which no program runs."""
    return any(
        word.startswith("from ") and ".resource_tracker import main" in word
        for word in sys.orig_argv
    )


def _join() -> None:
    """Join the recording of the process that has started this one."""
    from pyusdt.launch import child_processes

    child_processes.join()


try:
    from pyusdt import libpyusdt, system  # noqa: F401 - before the program replaces parts of it
    from pyusdt.libpyusdt import mark, step, steps
except ImportError as error:
    if error.name is None:  # it does load, and its own message has the reason
        raise
    raise ImportError(
        f"pyusdt's compiled library does not load ({error}): "
        "install pyusdt with pip, or run make in its checkout"
    ) from None
if not _launched() and not _is_helper():
    libpyusdt.start()
    if os.environ.get("PYUSDT_RECORDING") and not sys.flags.ignore_environment:
        # The start-up hook imports this while site runs, whose frames would be in the recording.
        # What embeds Python has no command line, and never comes to a program.
        libpyusdt.at_program(_join) if sys.orig_argv else _join()
