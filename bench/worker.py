# SPDX-License-Identifier: Apache-2.0
"""The measured Python program: worker.py MODULE LOAD SIZE

Imports MODULE ("-": none), prints "ready", and then obeys every byte on stdin:

    w   wait until some tool has monitoring events on
    o   wait until no tool has any
    r   run the load once
    u   run it untimed, since the digits of a time take instructions of their own
    x   exit at once, without finalizing the interpreter, where threads meet by chance

The answer to each is a line on stdout: a time in ns, and the load's number of units of work. The
time is the end of the wait (monotonic clock), or the processor time of the load. The latter is that
of the whole process, with its threads and the kernel's work for it: other programs on the machine
add nothing to it. The loop below calls no Python function but the load, so that a tracer counts
exactly those of the load.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle, filterfalse, repeat

import loads

POLL_SECONDS = 0.001


def looks() -> Iterator[int]:
    """Pause, and yield the enabled events of all tools, again and again.

    All of it is C, so that no Python function is called. sleep() releases the GIL.
    """
    tools = map(sys.monitoring.get_events, cycle(range(6)))
    pauses = map(bool, map(time.sleep, repeat(POLL_SECONDS)))  # each is False, which adds 0
    return map(sum, zip(pauses, *[tools] * 6, strict=False))


def serve(load: Callable[[int], object], size: int, units: int) -> None:
    clock, now = time.process_time_ns, time.monotonic_ns
    read, write, on, off = os.read, os.write, filter(None, looks()), filterfalse(None, looks())
    while request := read(0, 1):
        begin = end = 0
        if request == b"r":
            begin = clock()
            load(size)
            end = clock()
        elif request == b"u":
            load(size)
        elif request == b"w":
            next(on)
            end = now()
        elif request == b"o":
            next(off)
            end = now()
        else:
            os._exit(0)
        write(1, b"%d %d\n" % (end - begin, units))


def main() -> None:
    module, name, size = sys.argv[1:]
    if module != "-":
        __import__(module)
    load = loads.find(name)
    load.run(1)
    os.write(1, b"ready\n")
    serve(load.run, int(size), load.units(int(size)))


if __name__ == "__main__":
    main()
