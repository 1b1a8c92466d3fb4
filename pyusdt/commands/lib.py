# SPDX-License-Identifier: Apache-2.0
"""`pyusdt lib`: print the path of the library that has the probes."""

import argparse
import os

from pyusdt import libpyusdt
from pyusdt.errors import ExitCode


def library_path() -> str:
    """Return the library's canonical path, which is the one that tracers should be given."""
    return os.path.realpath(libpyusdt.__file__)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb to `parser`: it has none."""
    parser.description = "Print the canonical path of the library that has the probes, for tracers."


def run(_arguments: argparse.Namespace) -> ExitCode:
    """Print the path."""
    print(library_path())
    return ExitCode.OK
