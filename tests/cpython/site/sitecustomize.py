# SPDX-License-Identifier: Apache-2.0
"""Runs as every Python of a suite starts, children too: brings pyusdt in where the test says so."""

import os

import semaphores  # in both runs, so that they differ by pyusdt alone

if os.environ["PYUSDT_TEST_WATCHED"] != "no":
    if os.environ["PYUSDT_TEST_WATCHED"] == "inside":
        semaphores.up(*semaphores.ALL)
    import pyusdt

    if os.environ["PYUSDT_TEST_WATCHED"] == "by memory":
        pyusdt.record(memory=True).__enter__()
