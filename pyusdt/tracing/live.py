# SPDX-License-Identifier: Apache-2.0
"""The lines of a tool that prints while it runs, for people and as JSON, one object a line."""

import errno
import json
import sys
from collections import Counter

from pyusdt.report.text import printable
from pyusdt.tracing.derive import PART, SEPARATOR, joined
from pyusdt.tracing.fold import is_machinery
from pyusdt.tracing.tools import Live

_LONGEST = 1000
_MOST_KEYS = 100_000


class Lines:
    """Takes what bpftrace prints, in pieces, and prints it line by line."""

    def __init__(self, live: Live, *, as_json: bool, everything: bool) -> None:
        self.counted: Counter[str] = Counter()
        """Lines that are not printed, by their fields with commas between."""
        self.left_out = 0
        """Calls that are not shown, unless it is to be `everything`."""
        self._live = live
        self._as_json = as_json
        self._everything = everything
        self._begun = ""
        self._headed = False

    def add(self, piece: str) -> None:
        """Take a piece of a line, or its end. What has no fields is no line of ours."""
        self._begun += piece
        if not self._begun.endswith("\n"):
            return
        line, self._begun = self._begun[:-1], ""
        if SEPARATOR in line:
            self._print(line.split(SEPARATOR, len(self._live.fields) - 1))

    def _print(self, words: list[str]) -> None:
        """Print the fields of one line; of the last one, the spaces are still parted."""
        words[-1] = words[-1].replace(SEPARATOR, " ").rstrip()
        if PART in words[-1]:
            words[-1] = joined(words[-1].split(PART))
        words = [_readable(word) for word in words]
        if self._live.counted:
            self._count(words)
        elif self._live.deepest and not self._everything and _is_beside_the_point(words):
            self.left_out += 1
        else:
            self._write(words)

    def _count(self, words: list[str]) -> None:
        result = words[1]
        if result.lstrip("-").isdecimal():
            number = int(result)
            words[1] = errno.errorcode.get(-number, result) if number < 0 else ""
        key = ",".join(words[1:])
        if key in self.counted or len(self.counted) < _MOST_KEYS:
            self.counted[key] += 1
        else:
            self.left_out += 1

    def _write(self, words: list[str]) -> None:
        if self._as_json:
            fields = (name.replace(" ", "_") for name in self._live.fields)
            print(json.dumps(dict(zip(fields, map(_value, words), strict=False))), flush=True)
            return
        if not self._headed:
            self._headed = True
            print(self._line([name.upper() for name in self._live.fields]))
        print(self._line([printable(word, _LONGEST) for word in words]), flush=True)

    def _line(self, words: list[str]) -> str:
        widths = [*self._live.widths, 0]
        return " ".join(
            f"{word:<{-width}}" if width < 0 else f"{word:>{width}}"
            for word, width in zip(words, widths, strict=False)
        ).rstrip()


def _is_beside_the_point(words: list[str]) -> bool:
    """Whether a call only called what was slow, or is Python's own, which waits."""
    depth, call = words[-2:]
    return depth.endswith("+") or is_machinery(call.partition(":")[0])


def _readable(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _value(word: str) -> str | int | float:
    """A number as such."""
    for kind in (int, float):
        try:
            return kind(word) if word.isascii() else word
        except ValueError:
            continue
    return word


def print_notice(text: str, *, aside: bool) -> None:
    """What a script prints when it begins; on stderr where stdout is for data."""
    print(printable(text.strip(), _LONGEST), file=sys.stderr if aside else sys.stdout, flush=True)
