# SPDX-License-Identifier: Apache-2.0
"""USDT probes for Python programs: import this, and tracers can follow what Python does.

Importing starts the core: a watcher that switches events on while a tracer wants them, and off
again. Raises ImportError, with the reason and the remedy, where that is not possible.
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

    from pyusdt.recorder import record
    from pyusdt.recording import Recording
    from pyusdt.remote.control_layout import Status, Values

__all__ = ["__version__", "configure", "load", "mark", "record", "status", "step", "steps"]


def __getattr__(name: str) -> object:
    """Import what is not for every program that imports this."""
    if name == "record":
        from pyusdt.recorder import record

        globals()[name] = record
        return record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load(path: "str | PathLike[str]") -> "Recording":
    """Return the recording in the file at `path`, with all its processes.

    Raises pyusdt.errors.UserError when it is missing, not ours, of a newer format, or damaged.
    """
    from pyusdt import recording  # sqlite3 is not for every program that imports this

    return recording.load(path)


def status() -> "Status":
    """Return what pyusdt does in this process at this moment.

    A dict: which probes tracers watch and which events are on for them, how often each probe was
    fired, what was lost, and the settings in effect. `Status` of
    pyusdt.remote.control_layout describes its keys.
    """
    from pyusdt.remote import control_layout

    return control_layout.snapshot(libpyusdt.snapshot()).status


def configure(
    *,
    only: str | None = None,
    exclude: str | None = None,
    values: "Values | None" = None,
    slow: str | float | None = None,
) -> None:
    """Change settings of this process, at once and for as long as it lives. None: as it is.

    only     patterns of the functions that are told of, "" for all. A pattern is
             `module:qualname`, in which * stands for any characters and ? for one; without a colon,
             a module and all below it. Commas between patterns.
    exclude  patterns of functions that are not, even where `only` has them; "" for none.
    values   how values become text: "safe" never runs code of the program, "repr" calls repr(),
             "off" makes them "".
    slow     from when on the probe function__slow tells of a call: a time like "10ms", "500us",
             "1.5s", a number of seconds, or "off".

    Raises ValueError where a value is not good, and TypeError where it is of another type; nothing
    is changed then. A call in progress is not told of at its end by function__done where a change
    of the filters reaches a caller of it.
    """
    from pyusdt.remote import control_layout

    libpyusdt.change(control_layout.request(only=only, exclude=exclude, values=values, slow=slow))


def _launched() -> bool:
    """Tell whether this import belongs to `python -m pyusdt`, which starts the core by itself.

    While Python looks for the module of -m, sys.argv[0] is "-m" and the module's name, which may
    be glued to the option, is the word of the command line before sys.argv[1:].
    """
    word = sys.orig_argv[-len(sys.argv)] if sys.argv[:1] == ["-m"] else ""
    return word == "pyusdt" or (word.startswith("-") and word.endswith("mpyusdt"))


try:
    from pyusdt import libpyusdt
    from pyusdt.libpyusdt import mark, step, steps
except ImportError as error:
    if error.name is None:  # it does load, and says itself why it does not work here
        raise
    raise ImportError(
        f"pyusdt's compiled library does not load ({error}): "
        "install pyusdt with pip, or run make in its checkout"
    ) from None
if not _launched():
    libpyusdt.start()
    if os.environ.get("PYUSDT_RECORDING"):  # a process of the recording's has started this one
        from pyusdt.launch import child_processes

        child_processes.join()
