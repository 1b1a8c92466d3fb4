# SPDX-License-Identifier: Apache-2.0
"""The Python program that is profiled: profiled.py PROFILER WORKLOAD TIMES

Starts the profiler, says "ready", and then answers as worker.py does; a unit is the whole workload.
"""

import os
import sys

import profilers
import worker
import workloads


def main() -> None:
    profiler, name, times = sys.argv[1:]
    body, module = workloads.load(name)
    body(1)
    kept = profilers.START[profiler](module)
    os.write(1, b"ready\n")
    worker.serve(body, int(times), int(times))
    del kept


if __name__ == "__main__":
    main()
