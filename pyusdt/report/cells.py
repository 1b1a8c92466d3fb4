# SPDX-License-Identifier: Apache-2.0
"""What tables of functions have in common: the cell of a name."""

from pyusdt.recording import Recording
from pyusdt.report.columns import Name
from pyusdt.report.place import place, roots
from pyusdt.report.prepare import OTHERS
from pyusdt.report.text import printable

BESIDE = (5, 11)
"""The ranks of what stands beside a name: its module, its place."""


class Names:
    """The names of a recording's functions, with their modules and places."""

    def __init__(self, recording: Recording) -> None:
        self._records = recording.records
        self._below = roots(recording)

    def of(self, index: int, guide: str = "") -> Name:
        """The cell of a function."""
        record = self._records[index]
        where = "" if record == OTHERS else place(record, self._below)
        beside = (printable(record.module, 60), "dim cyan"), (where, "dim")
        return Name(self.plain(index), beside, guide)

    def plain(self, index: int) -> str:
        """The name alone."""
        record = self._records[index]
        return printable(record.qualname or record.name, 100) or "(nameless)"
