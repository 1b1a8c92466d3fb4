# SPDX-License-Identifier: Apache-2.0
"""Runs of tracers, several at once: each mostly waits for the kernel to put probes in place."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

AT_ONCE = 4


@pytest.fixture(scope="module")
def under_way(
    request: pytest.FixtureRequest, bpftrace: None, library: Path
) -> Iterator[dict[str, Future[Any]]]:
    """What the module's tests name by `@result_of(function, *arguments)`, by test."""
    tests = [item for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            test.name: pool.submit(*mark.args, **mark.kwargs)
            for test in tests
            for mark in test.iter_markers("result_of")
        }
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def result(request: pytest.FixtureRequest, under_way: dict[str, Future[Any]]) -> Any:
    """What the function that this test names has returned; its failure is the test's."""
    return under_way[request.node.name].result()
