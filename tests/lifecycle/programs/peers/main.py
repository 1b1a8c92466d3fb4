# SPDX-License-Identifier: Apache-2.0
"""Calls work() 22 times under TOOL, a module of peers/. ORDER says when pyusdt comes, if at all."""

import importlib
import json
import os
import sys


def numbers(n):
    for i in range(n):
        yield i


def work(n):
    try:
        raise ValueError(n)
    except ValueError:
        pass
    return sum(numbers(3))


def run():
    for i in range(22):
        work(i)


tool = importlib.import_module(f"peers.{os.environ['TOOL']}")
order = os.environ["ORDER"]
if order == "after us":
    import peers.ours
elif order == "after our import":
    import pyusdt
tool.begin()
if order in ("before us", "after our import"):
    import peers.ours
run()
tool.end()
fired = sys.modules["pyusdt"].status()["probes_fired"] if "pyusdt" in sys.modules else None
print(json.dumps([tool.answer(), fired]))
