# SPDX-License-Identifier: Apache-2.0
"""Imported by worker.py: the recorder records from the import on."""

import pyusdt

kept = pyusdt.record().__enter__()
