# SPDX-License-Identifier: Apache-2.0
"""Runs as every Python of a suite starts, children too: brings pyusdt in where the test says so."""

import os
import sys

import semaphores  # in both runs, so that they differ by pyusdt alone

if os.environ["PYUSDT_TEST_WATCHED"] != "no":
    if os.environ["PYUSDT_TEST_WATCHED"] == "inside":
        semaphores.up(*semaphores.ALL)
    import pyusdt

    if os.environ["PYUSDT_TEST_WATCHED"] == "by memory":
        rec = pyusdt.record(memory=True)

        def begin(event: str, _: object) -> None:
            """As the program is about to run: 3.14 cannot tell earlier if its JIT will be on."""
            if event.startswith("cpython.run_"):
                rec.__enter__()

        sys.addaudithook(begin)
