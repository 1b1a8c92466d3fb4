# SPDX-License-Identifier: Apache-2.0
"""Does one thing over and over, and prints what is there more of afterwards: loops.py CASE ROUNDS

Of resident memory in kB, bytes that C has allocated, blocks of Python's own allocator, references
to objects that events carried, watchers, and open files.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType

import semaphores

import pyusdt
from pyusdt import libpyusdt

WARM_UP = 5


class Allocated(ctypes.Structure):
    """struct mallinfo2 of the C library."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks used free keepcost".split()
    )


mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Allocated


class Carried(Exception):
    pass


ARGUMENT, ERROR, RESULT = ["argument"], Carried("an error"), ["a result"]
FRAMES = ("PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND")


def produce(argument: list[str]):  # type: ignore[no-untyped-def]
    len(argument)
    yield argument
    return RESULT


def fail(error: Carried) -> None:
    raise error


def work() -> None:
    """One event of each kind at least, each with objects of ours."""
    assert [*produce(ARGUMENT)] == [ARGUMENT]
    generator = produce(ARGUMENT)
    next(generator)
    for failing in (lambda: generator.throw(ERROR), lambda: fail(ERROR)):
        with suppress(Carried):
            failing()
    ERROR.__traceback__ = ERROR.__context__ = None


def watched_and_not() -> None:
    """As a tracer of all probes comes and goes."""
    semaphores.up(*semaphores.ALL)
    while not {*FRAMES, "LINE", "CALL"} <= semaphores.events():
        work()
    work()
    semaphores.down(*semaphores.ALL)
    semaphores.wait_for()


def one_probe_after_the_other() -> None:
    for probe in ("PY_START", "CALL", "RAISE", "function__done", "gc__begin", "code__new"):
        semaphores.up(probe)
        work()
        libpyusdt.stop()
        semaphores.down(probe)
        libpyusdt.start()


def recorded() -> None:
    with pyusdt.record(c_calls=True) as recording:
        work()
    assert recording.functions and recording.tree and recording.steps == []


def recorded_lines() -> None:
    """Of code that stays and of code that dies, twice at once, with an error at a line."""
    with pyusdt.record(lines="*") as outer, pyusdt.record(lines="__main__:produce") as inner:
        work()
        code_that_dies()
    assert inner.recording.line_rows and outer.recording.sources


def decorated() -> None:
    pyusdt.record()(work)()


def settings() -> None:
    pyusdt.configure(only="loops,other:*", slow="1ms")
    work()
    pyusdt.configure(only="", slow="10ms")
    assert pyusdt.status()["only"] == ""
    with suppress(ValueError):
        pyusdt.configure(only="a b")


def threads() -> None:
    """They have trees and slots, which the next ones take over."""
    group = [threading.Thread(target=work) for _ in range(5)]
    for thread in group:
        thread.start()
    for thread in group:
        thread.join()


def code_that_dies() -> None:
    for i in range(20):
        code = work.__code__.replace(co_name=f"made{i}")
        FunctionType(code, globals(), f"made{i}")()


def children() -> None:
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def all_watched(case: Callable[[], None]) -> Callable[[], None]:
    def watched() -> None:
        if not semaphores.events():
            semaphores.up(*semaphores.ALL)
            libpyusdt.stop()
            libpyusdt.start()
        case()

    return watched


CASES: dict[str, Callable[[], None]] = {
    "watched and not": watched_and_not,
    "one probe after the other": one_probe_after_the_other,
    "recorded": recorded,
    "recorded lines": recorded_lines,
    "decorated": decorated,
    "settings": settings,
    "watched settings": all_watched(settings),
    "watched threads": all_watched(threads),
    "watched code that dies": all_watched(code_that_dies),
    "watched children": all_watched(children),
}


def resident_kb() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def there_is() -> dict[str, int]:
    gc.collect()
    return {
        "kB": resident_kb(),
        "bytes": mallinfo().used + mallinfo().hblkhd,
        "blocks": sys.getallocatedblocks(),
        "references": sum(map(sys.getrefcount, (ARGUMENT, ERROR, RESULT, Carried))),
        "watchers": semaphores.watchers(),
        "files": len(os.listdir("/proc/self/fd")),
    }


def main(case: Callable[[], None], rounds: int) -> None:
    for _ in range(rounds // WARM_UP):
        case()
    before = there_is()
    for _ in range(rounds):
        case()
    after = there_is()
    print(*(f"{name}={after[name] - before[name]}" for name in before))


main(CASES[sys.argv[1]], int(sys.argv[2]))
