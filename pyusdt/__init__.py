# SPDX-License-Identifier: Apache-2.0
"""USDT probes for Python programs: import this, and tracers can follow what Python does.

Importing starts the core: a watcher that switches events on while a tracer wants them, and off
again. Raises ImportError, with the reason and the remedy, where that is not possible.
"""

import sys

from pyusdt._version import __version__

TYPE_CHECKING = False  # what type checkers take for true, without importing typing
if TYPE_CHECKING:
    from os import PathLike

    from pyusdt.recording import Recording

__all__ = ["__version__", "load", "mark", "step", "steps"]


def load(path: "str | PathLike[str]") -> "Recording":
    """Return the recording in the file at `path`, with all its processes.

    Raises pyusdt.errors.UserError when it is missing, not ours, of a newer format, or damaged.
    """
    from pyusdt import recording  # sqlite3 is not for every program that imports this

    return recording.load(path)


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


def _launched() -> bool:
    """Tell whether this import belongs to `python -m pyusdt`, which starts the core by itself.

    While Python looks for the module of -m, sys.argv[0] is "-m" and the module's name, which may
    be glued to the option, is the word of the command line before sys.argv[1:].
    """
    word = sys.orig_argv[-len(sys.argv)] if sys.argv[:1] == ["-m"] else ""
    return word == "pyusdt" or (word.startswith("-") and word.endswith("mpyusdt"))


_require_platform()
try:
    from pyusdt.libpyusdt import mark, step, steps
    from pyusdt.libpyusdt import start as _start
except ImportError as error:
    if error.name is None:  # it does load, and says itself why it does not work here
        raise
    raise ImportError(
        f"pyusdt's compiled library does not load ({error}): "
        "install pyusdt with pip, or run make in its checkout"
    ) from None
if not _launched():
    _start()
