# SPDX-License-Identifier: Apache-2.0
import sys

import pyusdt


def resident_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def template():
    return name  # noqa: F821 (make() gives it)


def make(first, n):
    """Functions whose name is the text of what they return."""
    code = template.__code__
    for i in range(first, first + n):
        name = f"f{i}"
        function = type(make)(code.replace(co_name=repr(name)), {"name": name})
        function()


print("ready", flush=True)
sys.stdin.readline()
make(0, 50_000)
before = resident_kb()
make(50_000, 1_000_000)
print("grown", resident_kb() - before, flush=True)
