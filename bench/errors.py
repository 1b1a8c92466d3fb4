# SPDX-License-Identifier: Apache-2.0
"""What keeps a figure from being measured."""

import re

# An absolute path, up to its last part: where things are is nothing to put into a result.
DIRECTORIES = re.compile(r"(?<![\w./])/(?:[\w.+@~-]+/)+")


class BenchError(Exception):
    """Something went wrong while it was measured: what, in one line."""


class UnavailableError(Exception):
    """A case cannot be measured here: why, in one line. It is shown as such, not left out."""


def told(error: Exception) -> str:
    """The error as one line for a result, without the directories of this machine."""
    return DIRECTORIES.sub("", " ".join(str(error).split()))
