# SPDX-License-Identifier: Apache-2.0
"""The table of all cases."""

from bench import (
    batch,
    events,
    follow,
    growth,
    idle,
    latency,
    lines,
    memory,
    race,
    recordings,
    sampler,
    world,
)
from bench.compare import Case

CASES: tuple[Case, ...] = (
    *idle.CASES,
    *events.CASES,
    *follow.CASES,
    *batch.CASES,
    *latency.CASES,
    *growth.CASES,
    *recordings.CASES,
    *sampler.CASES,
    *lines.CASES,
    *race.cases(),
    *memory.CASES,
    world.WHOLE,
)
INSIDE: tuple[Case, ...] = world.CASES
"""The cases of the second world."""
