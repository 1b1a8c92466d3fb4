# SPDX-License-Identifier: Apache-2.0
"""What the probe of an event said of the scenario, beside what the oracle expects it to say.

oracle_heard.py EVENT; both are of tests/tracer/programs, where a real tracer hears the same.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

import heard

EVENT = sys.argv[1]

heard.up(EVENT)
with contextlib.redirect_stdout(io.StringIO()):
    import oracle
heard.down(EVENT)
files = oracle.scenario.FILES
said = [hit[1:] for hit in heard.hits() if hit[0] == EVENT and hit[2] in files]
print(json.dumps({"expected": oracle.expected, "said": said}))
