# SPDX-License-Identifier: Apache-2.0
"""Imported by worker.py: the recorder records from the import on, and the lines of BENCH_LINES."""

import os

import pyusdt

kept = pyusdt.record(lines=os.environ.get("BENCH_LINES")).__enter__()
