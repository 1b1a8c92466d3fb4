# SPDX-License-Identifier: Apache-2.0
"""python -m bench [--long] [--only TEXT]: measure, show the table and write it to results/."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import machine, memory, race, readers, readme, report, results, world
from bench.cases import CASES, INSIDE
from bench.compare import Case
from bench.errors import BenchError, UnavailableError, one_line
from bench.rows import Row

ROUNDS, LONG_ROUNDS = 10, 50
FAILED = "failed"


def main() -> int:
    options = arguments()
    known = INSIDE if options.inside else CASES
    cases = [case for case in known if options.only in case.name]
    if not cases:
        names = "; ".join(case.name for case in known)
        print(f"bench: no case is named {options.only}; there are: {names}", file=sys.stderr)
        return 2
    rounds = options.rounds or (LONG_ROUNDS if options.long else ROUNDS)
    try:
        return run(cases, rounds, options.inside, partial=bool(options.only))
    except KeyboardInterrupt:
        return 130


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_ROUNDS} rounds, not {ROUNDS}")
    parser.add_argument("--rounds", type=int, default=0, metavar="N", help="N rounds")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with TEXT in their name")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def run(cases: list[Case], rounds: int, inside: Path | None, partial: bool) -> int:
    """Measure. Return 1 where a case failed, or needs a tracer and there is none.

    The results of some cases alone are not kept.
    """
    no_tracer = why_no_tracer() if any(case.traced for case in cases) else ""
    about = machine.describe() | {"rounds": str(rounds)}
    rows: list[Row] = []
    with progress() as shown:
        task = shown.add_task("", total=len(cases))
        for case in cases:
            shown.update(task, description=case.name)
            if not (case.traced and no_tracer):
                rows += measured(case, rounds)
            shown.advance(task)
    about |= machine.peers()
    if inside is not None:
        results.replace(inside, results.as_json(rows, about))
        return 0
    rows += race.summary(rows) + memory.summary(rows)
    if world.WHOLE in cases:
        about |= world.about()
    report.show(rows, Console())
    failed = [f"{row.case}: {row.note}" for row in rows if row.figure == FAILED]
    for error in [*failed, *filter(None, [no_tracer])]:
        print(f"bench: {error}", file=sys.stderr)
    if no_tracer:
        return 1
    if not partial:
        print("written:", *keep(rows, about))
    return 1 if failed else 0


def progress() -> Progress:
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal)


def why_no_tracer() -> str:
    try:
        readers.require_tracer()
    except UnavailableError as reason:
        return one_line(reason)
    return ""


def measured(case: Case, rounds: int) -> list[Row]:
    try:
        return case.measure(rounds)
    except UnavailableError as reason:
        return [Row(case.name, "not measured", "", note=one_line(reason))]
    except BenchError as error:
        return [Row(case.name, FAILED, "", note=one_line(error))]


def keep(rows: list[Row], about: dict[str, str]) -> tuple[Path, ...]:
    """Write the results, and the README's figures from them. Return the paths."""
    results.replace(results.MARKDOWN, report.as_markdown(rows, about))
    results.replace(results.DATA, results.as_json(rows, about))
    _, kept = results.load()  # rounded, as in the file
    results.replace(readme.PATH, readme.refreshed(readme.PATH.read_text(), kept))
    return results.MARKDOWN, results.DATA, readme.PATH


if __name__ == "__main__":
    sys.exit(main())
