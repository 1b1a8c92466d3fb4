# SPDX-License-Identifier: Apache-2.0
import resource
import sys

sys.stdout.flush()


def used():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[0]) * 4096


def template(x):
    yield x
    raise ValueError(x)


def make(n):
    # Not by exec(), nor with a name of its own: with no memory CPython's compiler ends in a
    # SystemError, and 3.13.0 crashes as its table of names grows.
    code = template.__code__.replace(co_firstlineno=n + 1)
    return type(make)(code, {"__name__": "made", "ValueError": ValueError})


def work(n, hoard):
    try:
        list(make(n)(n))
    except ValueError:
        pass
    hoard.append(bytes(1 << 16))


out_of_memory = 0
limits = resource.getrlimit(resource.RLIMIT_AS)
for attempt in range(20):
    hoard = []
    resource.setrlimit(resource.RLIMIT_AS, (used() + (1 << 20) * (attempt % 4 + 1), limits[1]))
    try:
        for n in range(2000):
            work(n, hoard)
    except MemoryError:
        out_of_memory += 1
    finally:
        del hoard
        resource.setrlimit(resource.RLIMIT_AS, limits)
print(out_of_memory)
