# SPDX-License-Identifier: Apache-2.0
"""Calls a function of each module that its arguments name, when standard input says so."""

import importlib
import sys
import textwrap

import pyusdt

modules = [importlib.import_module(name) for name in sys.argv[1:]]


def work(n):
    for _ in range(n):
        textwrap.dedent("text")
        for module in modules:
            module.called()


print("ready", flush=True)
for line in sys.stdin:
    command, n = line.split()
    work(int(n))
    print("done", command, flush=True)
