# SPDX-License-Identifier: Apache-2.0
"""Measured claims: what pyusdt costs, beside its peers and the floor, in one run.

`make bench` runs it. How it is laid out, in the order in which one thing uses another:

    stats      minimum, median, ratio and its spread
    machine    what the figures were measured on
    peers      other people's tools, each in an environment of its own
    subjects   who runs a load: the C loop of floor.c, plain Python, pyusdt, a peer (a table)
    readers    who listens meanwhile; the first row is "nothing" (a table)
    measure    runs several sides (a subject, a load, a reader) in turn, round by round
    idle       what nobody listening costs
    cases      what is compared and what has to come out of it (a table)
    report     the table on the terminal, results/latest.md and results/latest.json

worker.py and floor.c are the programs that are measured; they import none of this.
"""
