# SPDX-License-Identifier: Apache-2.0
"""What keeps a figure from being measured."""


class BenchError(Exception):
    """The run is worth nothing: what went wrong, in one line."""


class UnavailableError(Exception):
    """A case cannot be measured here: why, in one line. It is shown as such, not left out."""
