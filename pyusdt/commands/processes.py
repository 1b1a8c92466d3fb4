# SPDX-License-Identifier: Apache-2.0
"""What verbs that look into other processes share."""

import argparse
from collections.abc import Iterator

from pyusdt.harmless import printable
from pyusdt.remote.control_layout import Status


def process_id(text: str) -> int:
    """An argument that is a process's number."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 2**31):
        raise argparse.ArgumentTypeError(f"not the number of a process: '{text}'")
    return int(text)


def settings_in_words(status: Status) -> Iterator[tuple[str, str]]:
    """Each setting's name and what it is."""
    yield "only", printable(status["only"], 1100) or "everything"
    yield "exclude", printable(status["exclude"], 1100) or "nothing"
    yield "values", status["values"]
    yield "slow", _time(status["slow_usec"])
    if (large := status["large_bytes"]) is not None:
        yield "large", _size(large)
    yield "check", f"{status['check_msec']} ms"
    yield "verbose", "yes" if status["verbose"] else "no"


def _time(usec: int | None) -> str:
    """As the option --slow takes it."""
    if usec is None:
        return "off"
    return f"{usec // 1000}ms" if usec % 1000 == 0 else f"{usec}us"


def _size(size: int) -> str:
    """As the option --large takes it."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"
