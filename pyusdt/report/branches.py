# SPDX-License-Identifier: Apache-2.0
"""A call tree as lines for the terminal, by a stack of our own: trees are 10,000 deep."""

from collections.abc import Callable, Iterator
from typing import Any

from pyusdt.recording.tree import Node

_DEEPEST = 100


def branches(
    root: Node,
    key: Callable[[Node], Any],
    is_light: Callable[[Node], bool],
    is_there: Callable[[Node], bool] = lambda _: True,
) -> Iterator[tuple[Node | list[Node], str]]:
    """Each node below `root`, callers first and then by `key`, with the guides that stand before
    it. What is light, or too deep, is one line, as a list; what is not there has none."""

    def below(node: Node, indent: str) -> list[tuple[Node | list[Node], str, str]]:
        children = sorted(filter(is_there, node.children), key=key)
        deep = len(indent) >= 2 * _DEEPEST
        return _lines(children, indent, lambda child: deep or is_light(child))

    stack = below(root, "")
    while stack:
        node, guide, indent = stack.pop()
        yield node, guide
        if not isinstance(node, list):
            stack += below(node, indent)


def _lines(
    children: list[Node], indent: str, is_light: Callable[[Node], bool]
) -> list[tuple[Node | list[Node], str, str]]:
    """The last line first: (node, guides of its line, of its children's)."""
    shown = [child for child in children if not is_light(child)]
    rows: list[Node | list[Node]] = [*shown]
    if len(shown) < len(children):
        kept = set(map(id, shown))
        rows.append([child for child in children if id(child) not in kept])
    lines = [(row, indent + "├─", indent + "│ ") for row in rows[:-1]]
    lines += [(row, indent + "└─", indent + "  ") for row in rows[-1:]]
    return lines[::-1]
