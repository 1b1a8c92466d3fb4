# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: what `@pytest.mark.pyusdt` asks of a test.

It is beside the package, since importing pyusdt starts its core: tests without the marker do not.
"""

from collections.abc import Generator

import pytest

MARKER = (
    "pyusdt(max_memory=None, max_time=None, no_leaks=False): fail the test if its call has more"
    ' alive at once (24_000_000, "24 MB"), takes longer (2, "100 ms"), or leaves something (True:'
    ' more than "64 kB"; or as much as is allowed); the report shows where'
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Where the marker cannot be understood, nothing of the test runs."""
    if marks := [*item.iter_markers("pyusdt")]:
        from pyusdt.pytest_plugin import understood

        understood(marks)


# The last of the wrappers is next to the call.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    if marks := [*item.iter_markers("pyusdt")]:
        from pyusdt.pytest_plugin import judged

        with judged(marks):
            return (yield)
    return (yield)
