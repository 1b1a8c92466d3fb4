# SPDX-License-Identifier: Apache-2.0
"""What the files of cases share."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.errors import UnavailableError
from bench.rows import Row
from bench.stats import Sample
from bench.subjects import SUBJECTS, Load

FIB = Load("fib", 22, 60_000)


@dataclass(frozen=True)
class Case:
    """A name, and the function that measures it in so many rounds. Raises errors of errors.py."""

    name: str
    measure: Callable[[int], list[Row]]
    traced: bool = False


def less(traced: Sample, untraced: Sample) -> Sample:
    """Each round's time, less the least time of the load without a tracer."""
    return Sample(tuple(value - untraced.minimum for value in traced.values))


def scaled(sample: Sample, factor: float) -> Sample:
    return Sample(tuple(value * factor for value in sample.values))


def unavailable(subjects: set[str], load: Load, names: tuple[str, ...]) -> dict[str, str]:
    """The reasons why some of `subjects` cannot run here."""
    found = {}
    for subject in subjects:
        try:
            SUBJECTS[subject].command(load, names)
        except UnavailableError as reason:
            found[subject] = str(reason)
    return found
