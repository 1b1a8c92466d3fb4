# SPDX-License-Identifier: Apache-2.0
"""The texts of files, as a recorded process keeps them in the directory of its run: `text.SHA256`
each, once for all processes, and a list for each process, `sources.TOKEN-PID`, of hashes and files.

They are read as what they may be, bytes of anybody: checked, and left out where they are not right.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from pyusdt.files import open_regular
from pyusdt.recording.snapshot import clean
from pyusdt.rundir import is_token

MOST_CHARACTERS = 1_000_000
"""Of the text of a file: that of a larger one is not kept."""
LISTS, TEXTS = "sources.", "text."
_MOST_BYTES = 256_000_000  # of all texts together
_LONGEST_LIST = 4_000_000
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file when it was recorded, with line ends as Python has them in texts."""

    sha256: str
    """Of the text, as UTF-8."""
    text: str

    @classmethod
    def of(cls, text: str) -> "Source":
        """With its hash."""
        text = clean(text)
        return cls(hashlib.sha256(text.encode()).hexdigest(), text)


def is_list_or_text(name: str) -> bool:
    """Whether a file of that name in the directory of a run is one of those."""
    return name.startswith((LISTS, TEXTS))


def list_of(token: object, pid: int) -> str:
    """The name of the list that a part of a process names by that token; "" if it names none."""
    return f"{LISTS}{token}-{pid}" if isinstance(token, str) and is_token(token) else ""


@dataclass
class Reader:
    """Reads the lists in an open directory, and each text once."""

    directory: int
    _may_read: int = _MOST_BYTES
    _known: dict[str, Source | None] = field(default_factory=dict)

    def sources(self, lists: Iterable[str]) -> dict[str, Source]:
        """The texts that these lists name, by files."""
        found: dict[str, Source] = {}
        for name in filter(None, lists):
            for entry in self._content(name, _LONGEST_LIST).split(b"\0"):
                sha256, _, file = entry.decode(errors="backslashreplace").partition(" ")
                if file and (source := self._source(sha256)):
                    found[file] = source
        return found

    def _source(self, sha256: str) -> Source | None:
        if sha256 not in self._known:
            self._known[sha256] = self._read(sha256)
        return self._known[sha256]

    def _read(self, sha256: str) -> Source | None:
        if len(sha256) != 64 or not _HEX.issuperset(sha256):
            return None
        data = self._content(TEXTS + sha256, min(4 * MOST_CHARACTERS, self._may_read))
        self._may_read -= len(data)
        with suppress(UnicodeDecodeError):
            source = Source.of(data.decode())
            if source.sha256 == sha256 and len(source.text) <= MOST_CHARACTERS:
                return source
        return None

    def _content(self, name: str, most: int) -> bytes:
        """Nothing, where it has more."""
        with suppress(OSError, ValueError), open_regular(name, self.directory) as file:
            data = file.read(most + 1)
            return data if len(data) <= most else b""
        return b""
