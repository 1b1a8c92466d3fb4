# SPDX-License-Identifier: Apache-2.0
"""Recordings in a form that a test can write down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

import pyusdt
from pyusdt.recording import Node, Recording

BOOTSTRAP = ["Thread._bootstrap", "Thread._bootstrap_inner", "Thread.run"]


@dataclass
class Context:
    """A calling context: calls, resumes, errors, and what it calls, by name."""

    calls: int
    resumes: int = 0
    errors: int = 0
    below: dict[str, Context] = field(default_factory=dict)


def called(calls: int, resumes: int = 0, errors: int = 0, **below: Context) -> Context:
    return Context(calls, resumes, errors, below)


def contexts(recording: Recording, node: Node) -> dict[str, Context]:
    """What `node` calls, by the functions' own names."""
    return {
        recording.records[child.function].name: Context(
            child.calls, child.resumes, child.errors, contexts(recording, child)
        )
        for child in node.children
    }


def below(recording: Recording, node: Node, *names: str) -> dict[str, Context]:
    """The same of the context that these qualified names lead to."""
    for name in names:
        (node,) = (c for c in node.children if recording.records[c.function].qualname == name)
    return contexts(recording, node)


def calls(recording: Recording, module: str) -> dict[str, int]:
    """How often each function of a module was entered."""
    found: Counter[str] = Counter()
    for function in recording.functions:
        if function.record.module == module:
            found[function.record.qualname] += function.calls + function.resumes
    return dict(found)


MODULE = __name__


def leaf() -> None:
    pass


def work(n: int = 3) -> None:
    for _ in range(n):
        leaf()


def counts(rec: pyusdt.record) -> dict[str, int]:
    """How often work and leaf were entered, without those that only were there."""
    found = calls(rec.recording, MODULE)
    return {name: found[name] for name in ("work", "leaf") if found.get(name)}


SLICE_NS = 50_000_000
"""For how long a busy machine may take a thread off its CPU between two functions."""


def threads_are_as_long_as_their_trees(recording: Recording, slack_ns: int = 0) -> None:
    """Within 1%. Very short threads may need a slack: see SLICE_NS."""
    for thread in recording.threads:
        total = sum(child.elapsed_ns for child in thread.root.children)
        assert total == pytest.approx(thread.elapsed_ns, rel=0.01, abs=slack_ns)
