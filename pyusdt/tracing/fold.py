# SPDX-License-Identifier: Apache-2.0
"""What a table of a program's functions sums up in one line: how Python imports, starts threads and
waits for something to do. `--all` shows it."""

_MACHINERY = frozenset(
    """
    _frozen_importlib _frozen_importlib_external _pyrepl _weakrefset abc asyncio codecs concurrent
    contextlib encodings importlib multiprocessing pyusdt queue runpy sched selectors site
    socketserver threading weakref zipimport
    """.split()
)


def is_machinery(module: str) -> bool:
    """Whether a module, or the package that it is in, is machinery."""
    return module.partition(".")[0] in _MACHINERY
