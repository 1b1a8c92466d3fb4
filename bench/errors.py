# SPDX-License-Identifier: Apache-2.0
"""The reasons why a figure cannot be measured."""

import re

# An absolute path, up to its last part: the directories do not belong into a result.
DIRECTORIES = re.compile(r"(?<![\w./])/(?:[\w.+@~-]+/)+")


class BenchError(Exception):
    """A measurement failed; the message is the reason, in one line."""


class UnavailableError(Exception):
    """A case cannot be measured here; the message is the reason. The table shows both."""


def one_line(error: Exception) -> str:
    """Return the error as one line for a result, without the directories of this machine."""
    return DIRECTORIES.sub("", " ".join(str(error).split()))
