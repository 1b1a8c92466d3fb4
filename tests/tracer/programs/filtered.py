# SPDX-License-Identifier: Apache-2.0
"""Works with an application of two modules as often as its standard input says."""

from __future__ import annotations

import sys

from myapp import views

import pyusdt


def work(what: str, times: int) -> None:
    for i in range(times):
        if what == "show":
            views.show(i)
        elif what == "fail":
            views.fail()
        else:
            views.nap()


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        what, times = line.split()
        work(what, int(times))
        print("done", what, flush=True)


main()
