# SPDX-License-Identifier: Apache-2.0
"""Measured claims: what pyusdt costs, beside its peers and the floor, in one run.

`make bench` runs it. How it is laid out, in the order in which one thing uses another:

    stats      minimum, median, ratio and its spread
    rows       a line of the result: a figure, what it is divided by, what it has to be
    machine    what the figures were measured on
    peers      other people's tools, installed from PyPI into environments of the bench
    subjects   who runs a load: the C loop of floor.c, plain Python, pyusdt, a peer (a table)
    processes  a subject at work
    readers    who listens meanwhile; the first row is "nothing" (a table)
    measure    runs several sides (a subject, a load, a reader) in turn, round by round
    idle       what nobody listening costs
    events     what an event costs, probe by probe
    follow     what following the stack costs, and telling of some functions only
    semaphore  raises one, as an attach does
    latency    how long attach and detach take
    growth     how costs grow: code objects, depth, threads, events
    race       the recorder among the other profilers, on every workload
    world      CPython's own probes and profilers: the part that needs the second test world
    cases      all of these (a table)
    results    rows as JSON; results/latest.md and results/latest.json
    report     the table on the terminal and as Markdown
    readme     the figures of README.md

worker.py with loads.py, profiled.py with workloads.py and profilers.py, recorded.py and floor.c are
the programs that are measured; they import none of the others.
"""
