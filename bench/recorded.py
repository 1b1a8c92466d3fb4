# SPDX-License-Identifier: Apache-2.0
"""Imported by worker.py: from here on, the recorder records."""

import pyusdt

kept = pyusdt.record().__enter__()
