# SPDX-License-Identifier: Apache-2.0
"""`pyusdt lib`: print the path of the library that has the probes."""

import argparse

from pyusdt.errors import ExitCode
from pyusdt.library import library_path


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb to `parser`: it has none."""
    parser.description = "Print the canonical path of the library that has the probes, for tracers."


def run(_arguments: argparse.Namespace) -> ExitCode:
    """Print the path."""
    print(library_path())
    return ExitCode.OK
