# SPDX-License-Identifier: Apache-2.0
"""Measures the costs of pyusdt, of its peers and of the floor in one run.

`make bench` runs it. Its modules; each uses only those above it:

    stats      minimum, median, ratio and its spread
    rows       a line of the result: a figure, its divisor and its target
    machine    what the figures were measured on
    peers      other people's tools, installed from PyPI into environments of the bench
    subjects   what runs a load: the C loop of floor.c, plain Python, pyusdt, a peer (a table)
    processes  the process of a subject
    readers    what reads the events; the first row is "nothing" (a table)
    measure    runs several sides (a subject, a load, a reader) in turn, round by round
    idle       what pyusdt costs without a reader
    events     what an event costs, probe by probe
    follow     what following the stack and filtering functions cost
    semaphore  raises a probe's semaphore, as a tracer does
    latency    how long attach and detach take
    growth     how costs grow: code objects, depth, threads, events
    race       the recorder against the other profilers, on every workload
    world      CPython's own probes and profilers: the part that needs the second test world
    cases      all of these (a table)
    results    rows as JSON; results/latest.md and results/latest.json
    report     the table on the terminal and as Markdown
    readme     the figures of README.md

The measured programs are worker.py with loads.py, profiled.py with workloads.py and profilers.py,
recorded.py and floor.c. They import none of the others.
"""
