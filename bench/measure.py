# SPDX-License-Identifier: Apache-2.0
"""Runs several sides in turn, A B C A B C, so that a disturbance affects all of them."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from bench.errors import BenchError, UnavailableError, one_line
from bench.processes import Worker
from bench.readers import READERS, Listener, counted
from bench.stats import Sample
from bench.subjects import SUBJECTS, Load

# The most events of worker.py's own loop, and of a load's own, in a round. A C loop has none.
OWN_EVENTS = {"CALL": 10, "C_RETURN": 10, "LINE": 12}
OTHER_OWN_EVENTS = 1
# Probes that the program itself fires.
NAMED = frozenset({"mark", "step__start", "step__done"})


@dataclass(frozen=True)
class Side:
    """A subject that runs a load, and the reader of its probes."""

    subject: str
    load: Load
    reader: str = "nothing"
    probes: tuple[str, ...] = ()


class Running:
    """A running side."""

    def __init__(self, side: Side, stack: ExitStack) -> None:
        self.side = side
        self.values: list[float] = []
        self.units = 0
        subject, attach = SUBJECTS[side.subject], READERS[side.reader].attach
        self.worker = stack.enter_context(Worker(subject.command(side.load, side.probes)))
        self.listener: Listener | None = None
        if attach is not None:
            self.listener = attach(subject, side.probes, self.worker.process.pid)
            stack.callback(self.listener.abandon)
            if subject.monitors and not self.listener.cpu_counts and not NAMED & {*side.probes}:
                self.worker.wait_for_events()
        self.round(timed=False)

    def round(self, timed: bool = True) -> None:
        before = self.listener_ns()
        nanoseconds, units = self.worker.run()
        self.units += units
        if timed:
            self.values.append((nanoseconds + self.listener_ns() - before) / units)

    def listener_ns(self) -> int:
        if self.listener is None or not self.listener.cpu_counts:
            return 0
        return self.listener.cpu_ns()

    def check(self, rounds: int) -> None:
        """Raise BenchError where the tracer lost or doubled a hit."""
        if self.listener is None:
            return
        output = self.listener.finish()
        if not READERS[self.side.reader].counts:
            return
        hits, made, own = counted(output), self.units * len(self.side.probes), 0
        if self.side.subject != "floor":
            own = sum(OWN_EVENTS.get(probe, OTHER_OWN_EVENTS) for probe in self.side.probes)
        if not made <= hits <= made + own * (rounds + 2):
            names = " and ".join(self.side.probes)
            raise BenchError(
                f"{self.side.subject} made {made} hits of {names}, the tracer counted {hits}"
            )


Lost = dict[Side, str]
"""Sides that could not be measured, and the reasons."""


def interleave(sides: list[Side], rounds: int, lost: Lost | None = None) -> dict[Side, Sample]:
    """Return the processor time in ns for a unit of work of each side, one value a round.

    Raises BenchError, also where a tracer lost or doubled a hit, and UnavailableError. With `lost`,
    a side that fails is added to that instead, and is missing in the result.
    """

    running: dict[Side, Running] = {}

    def attempt(side: Side, act: Callable[[], object]) -> None:
        try:
            act()
        except (BenchError, UnavailableError) as error:
            if lost is None:
                raise
            lost[side] = one_line(error)
            running.pop(side, None)

    with ExitStack() as stack:

        def begin(side: Side) -> None:
            running[side] = Running(side, stack)

        for side in sides:
            attempt(side, partial(begin, side))
        for _ in range(rounds):
            for side, one in list(running.items()):
                attempt(side, one.round)
        for side, one in list(running.items()):
            attempt(side, partial(one.check, rounds))
    return {side: Sample(tuple(one.values)) for side, one in running.items()}
