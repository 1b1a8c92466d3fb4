# SPDX-License-Identifier: Apache-2.0
"""python -m bench [--long] [--only TEXT]: measure, show the table and write it to results/."""

import argparse
import sys

from rich.console import Console

from bench import machine, readers, report
from bench.cases import CASES, Case
from bench.errors import BenchError, UnavailableError
from bench.rows import Row

ROUNDS, LONG_ROUNDS = 10, 50


def main() -> int:
    options = arguments()
    cases = [case for case in CASES if options.only in case.name]
    if not cases:
        names = ", ".join(case.name for case in CASES)
        print(f"bench: no case is named {options.only}; there are: {names}", file=sys.stderr)
        return 2
    try:
        return run(cases, LONG_ROUNDS if options.long else ROUNDS, partial=bool(options.only))
    except BenchError as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more rounds")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with TEXT in their name")
    return parser.parse_args()


def run(cases: list[Case], rounds: int, partial: bool) -> int:
    """Measure; 1 where there is no tracer. What a part of the cases shows is not kept."""
    no_tracer = why_no_tracer() if any(case.traced for case in cases) else ""
    about = machine.describe() | {"rounds": str(rounds)}
    rows: list[Row] = []
    for case in cases:
        if case.traced and no_tracer:
            continue
        print(f"measuring {case.name}", file=sys.stderr, flush=True)
        rows += measured(case, rounds)
    if rows:
        report.show(rows, Console())
    if no_tracer:
        print(f"bench: {no_tracer}", file=sys.stderr)
        return 1
    if not partial:
        print("written:", *report.write(rows, about))
    return 0


def why_no_tracer() -> str:
    try:
        readers.require_tracer()
    except UnavailableError as reason:
        return str(reason)
    return ""


def measured(case: Case, rounds: int) -> list[Row]:
    try:
        return case.measure(rounds)
    except UnavailableError as reason:
        return [Row(case.name, "not measured", "", note=str(reason))]


if __name__ == "__main__":
    sys.exit(main())
