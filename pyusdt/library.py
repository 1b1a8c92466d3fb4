# SPDX-License-Identifier: Apache-2.0
"""Where the library with the probes is."""

import os

from pyusdt import libpyusdt


def library_path() -> str:
    """The library's canonical path, which is the one that tracers should be given."""
    return os.path.realpath(libpyusdt.__file__)
