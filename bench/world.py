# SPDX-License-Identifier: Apache-2.0
"""The part of the bench that runs in the second world of tools/world, with a newer Python."""

import os
import signal
import subprocess

from bench import events, race, results
from bench.compare import Case
from bench.errors import UnavailableError
from bench.peers import CACHE, ROOT
from bench.rows import Row

PYTHON, NAME = "python3.15", "3.15"
ENVIRONMENT = f".cache/venvs/bench-{NAME}"
# The limits for the set-up and the start, and for each round.
SECONDS, ROUND_SECONDS = 600, 60
OUTPUT = CACHE / "second-world.json"
# The cases that run inside.
CASES = (events.CPYTHON, *race.cases(f", Python {NAME}"))


def second_world(rounds: int) -> list[Row]:
    """Measure the cases above inside. Raises UnavailableError."""
    if os.geteuid() != 0:
        raise UnavailableError(f"the second world, which has Python {NAME}, needs root")
    enter(SECONDS, "make")
    enter(SECONDS, "run", "tools/setup", ENVIRONMENT, "build", PYTHON)
    CACHE.mkdir(parents=True, exist_ok=True)
    OUTPUT.unlink(missing_ok=True)
    python = f"{ENVIRONMENT}/bin/python"
    bench = (python, "-m", "bench", "--inside", str(OUTPUT.relative_to(ROOT)))
    enter(SECONDS + ROUND_SECONDS * rounds, "run", *bench, "--rounds", str(rounds))
    return results.load(OUTPUT)[1]


def about() -> dict[str, str]:
    """Return the versions with which the second world's part was measured."""
    if not OUTPUT.exists():
        return {}
    found, _ = results.load(OUTPUT)
    return {f"{label}, second world": found[label] for label in ("python", "tracer", "peers")}


def enter(seconds: int, *arguments: str) -> None:
    """Run tools/world with all that it starts. Raises UnavailableError where it fails."""
    with subprocess.Popen(
        ["tools/world", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"the second world took over {seconds} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        lines = output.strip().splitlines() or ["no output"]
        raise UnavailableError(f"no second world with Python {NAME}: {lines[-1]}")


WHOLE = Case(f"second world: Python {NAME}", second_world)
