# SPDX-License-Identifier: Apache-2.0
"""Runs several sides in turn, A B C A B C, so that what disturbs one disturbs them all."""

from contextlib import ExitStack
from dataclasses import dataclass

from bench.errors import BenchError
from bench.readers import READERS, Tracer
from bench.stats import Sample
from bench.subjects import SUBJECTS, Load, Worker

# Events of worker.py's own loop in a round, at most. It starts no function, and a C loop has none.
OWN_EVENTS = {"CALL": 10, "LINE": 12}


@dataclass(frozen=True)
class Side:
    """A subject that runs a load, and who listens to which probes of it."""

    subject: str
    load: Load
    reader: str = "nothing"
    probes: tuple[str, ...] = ()


class Running:
    """A side at work."""

    def __init__(self, side: Side, stack: ExitStack) -> None:
        self.side = side
        self.values: list[float] = []
        self.units = 0
        subject, action = SUBJECTS[side.subject], READERS[side.reader].action
        self.worker = stack.enter_context(Worker(subject.command(side.load, side.probes)))
        self.tracer: Tracer | None = None
        if action is not None:
            assert subject.library is not None, f"{subject.name} has no probes"
            pid = self.worker.process.pid
            self.tracer = Tracer(action, subject.library(), side.probes, pid)
            stack.callback(self.tracer.abandon)
            self.worker.wait_for_events()
        self.round(timed=False)

    def round(self, timed: bool = True) -> None:
        nanoseconds, units = self.worker.run()
        self.units += units
        if timed:
            self.values.append(nanoseconds / units)

    def check(self, rounds: int) -> None:
        """Raise BenchError where the tracer saw other hits than there were."""
        if self.tracer is None:
            return
        counted = self.tracer.finish()
        if not READERS[self.side.reader].counts:
            return
        made = self.units * len(self.side.probes)
        own = 0
        if self.side.subject != "floor":
            own = sum(OWN_EVENTS.get(probe, 0) for probe in self.side.probes)
        if not made <= counted <= made + own * (rounds + 2):
            names = " and ".join(self.side.probes)
            raise BenchError(
                f"{self.side.subject} made {made} hits of {names}, the tracer counted {counted}"
            )


def interleave(sides: list[Side], rounds: int) -> dict[Side, Sample]:
    """Return what a unit of work of each side took in ns of processor time, one value a round.

    Raises BenchError, also where a tracer lost or doubled a hit, and UnavailableError.
    """
    with ExitStack() as stack:
        running = [Running(side, stack) for side in sides]
        for _ in range(rounds):
            for side in running:
                side.round()
        for side in running:
            side.check(rounds)
    return {one.side: Sample(tuple(one.values)) for one in running}
