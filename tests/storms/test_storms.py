# SPDX-License-Identifier: Apache-2.0
"""Storms: tracers and settings come and go at random while a program does everything at once.

The program never fails; afterwards nothing is on and no id is held; whoever comes next counts
exactly. The seed of a storm that failed is in the name of its test.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness import LIBRARY, ROOT, VARIABLES, Process, Tracer, environment, inside, maps, probe
from notes import notes

PROGRAMS = Path(__file__).parent / "programs"
LONG = os.environ.get("LONG", "") not in ("", "0")
# A sanitizer makes a round five times slower, and some twenty: those that read a recording, for
# which they get an eighth of the GIL's time.
ROUNDS_INSIDE = 20_000 if LONG else 75 if VARIABLES else 600
ROUNDS_OUTSIDE = 500 if LONG else 25
SECONDS_LONG = 3600

pytestmark = [
    pytest.mark.timeout(SECONDS_LONG if LONG else 500),
    pytest.mark.thorough,
    pytest.mark.asan,
    pytest.mark.tsan,
]


def start(name: str, *arguments: object) -> Process:
    return Process([sys.executable, PROGRAMS / name, *map(str, arguments)], env=inside())


@pytest.mark.parametrize("seed", range(4))
def test_from_inside(seed: int) -> None:
    with start("inside.py", seed, ROUNDS_INSIDE) as program:
        program.expect("^calm", deadline=SECONDS_LONG if LONG else 400)
        assert program.wait() == 0
        assert program.output == "calm\n"


class Weather:
    """What may come over a process from outside, at random."""

    def __init__(self, seed: int, pid: int) -> None:
        self.dice = random.Random(seed)
        self.pid = pid
        self.probes = list(notes(LIBRARY))

    def tracer(self) -> Tracer:
        """Watches some probes, of the process or of all that have the library."""
        watched = self.dice.sample(self.probes, self.dice.choice((1, 1, 2, 5, len(self.probes))))
        script = f"{','.join(map(probe, watched))} {{ @ = count(); }}"
        return Tracer(script, self.pid if self.dice.random() < 0.5 else None)

    def settings(self) -> None:
        """Some `pyusdt set`."""
        only = self.dice.choice(("", "load", "load:f*", "nothing"))
        slow = self.dice.choice(("1us", "10ms", "off"))
        values = self.dice.choice(("safe", "off"))
        argv = ["--only", only, "--slow", slow, "--values", values]
        subprocess.run(
            [sys.executable, "-m", "pyusdt", "set", "-p", str(self.pid), *argv],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def end(self, tracer: Tracer) -> None:
        """By Ctrl-C, or by no word at all."""
        if self.dice.random() < 0.5:
            tracer.kill()
        else:
            with tracer:
                tracer.interrupt()  # a second one, when the first takes long, kills a new bpftrace


@pytest.mark.usefixtures("bpftrace")
def test_from_outside() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    with start("outside.py") as program:
        program.expect("^ready")
        weather = Weather(seed, program.pid)
        tracers: list[Tracer] = []
        try:
            for _ in range(ROUNDS_OUTSIDE):
                if len(tracers) < weather.dice.randint(1, 3):
                    tracers.append(weather.tracer())
                else:
                    weather.end(tracers.pop(weather.dice.randrange(len(tracers))))
                if weather.dice.random() < 0.2:
                    weather.settings()
                assert program.child.poll() is None, program.output
        finally:
            for tracer in tracers:
                tracer.kill()
        program.send("enough")
        program.expect("^calm")
        with Tracer(f"{probe('PY_START')} {{ @[str(arg0, 16)] = count(); }}") as tracer:
            # The tracer is there; the watcher sees it at its next look, every millisecond.
            program.send("1")
            program.expect("^done")
            while not re.search(r"^ *events +PY_START\b", status(program.pid), re.MULTILINE):
                pass
            program.send("1000")
            program.expect("^done")
            assert maps(tracer.finish())["[work]"] in (1000, 1001)
        assert program.wait() == 0


def status(pid: int) -> str:
    """The events that are on, as `pyusdt status` has them."""
    argv = [sys.executable, "-m", "pyusdt", "status", "-p", str(pid)]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    return done.stdout
