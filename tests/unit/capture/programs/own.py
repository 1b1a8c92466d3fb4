# SPDX-License-Identifier: Apache-2.0
"""The files of all functions that are told of while pyusdt's own Python code works."""

from __future__ import annotations

import contextlib
import json

import heard

PROBES = ("PY_START", "PY_RETURN", "RAISE")
heard.up(*PROBES)
import pyusdt
from pyusdt.errors import UserError

with contextlib.suppress(UserError):
    pyusdt.load("/no/such/recording")
heard.down(*PROBES)
print(json.dumps(sorted({hit[2] for hit in heard.hits()})))
