# SPDX-License-Identifier: Apache-2.0
"""The profiled Python program: profiled.py PROFILER WORKLOAD TIMES [FILE]

Starts the profiler, prints "ready", and then answers as worker.py does; a unit is a whole workload.
With FILE each round starts the profiler, and ends it when it has written its result there.
"""

import os
import sys

import worker
import workloads
from profilers import PROFILERS


def main() -> None:
    name, workload, times, *output = sys.argv[1:]
    body, module = workloads.load(workload)
    profiler = PROFILERS[name]

    def whole(times: int) -> None:
        kept = profiler.start(module, output[0])
        body(times)
        assert profiler.finish is not None
        profiler.finish(kept, output[0])

    body(1)
    kept = None if output else profiler.start(module, None)
    os.write(1, b"ready\n")
    worker.serve(whole if output else body, int(times), int(times))
    del kept


if __name__ == "__main__":
    main()
