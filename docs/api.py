# SPDX-License-Identifier: Apache-2.0
"""The Python API as Markdown: signatures as the sources have them, and the docstrings."""

import ast
import inspect
import re
import textwrap
from pathlib import Path
from types import FunctionType

import pyusdt
from docs import escape
from pyusdt import libpyusdt, recording
from pyusdt.recording.held import MemoryPlace
from pyusdt.recording.lines import Line
from pyusdt.recording.memory import MemoryFigures, ResidentRow
from pyusdt.recording.source import Source

STUB = Path(libpyusdt.__file__).parent / "libpyusdt.pyi"
# What pyusdt.load() and pyusdt.record() give, and what they raise.
CLASSES = (
    recording.Recording,
    recording.Process,
    recording.Thread,
    recording.Function,
    recording.CodeRecord,
    recording.Node,
    recording.Step,
    Line,
    Source,
    MemoryFigures,
    MemoryPlace,
    ResidentRow,
)

type Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def page() -> str:
    """All that `pyusdt.__all__` names, then the classes behind it."""
    names = [name for name in pyusdt.__all__ if not name.startswith("_")]
    parts = [section(f"## pyusdt.{name}", definitions(name)) for name in names]
    parts.append("## What a recording holds")
    parts += [section(f"### {c.__module__.split('.')[1]}.{c.__name__}", parsed(c)) for c in CLASSES]
    return "\n\n".join(parts)


def definitions(name: str) -> list[Definition]:
    """The definitions of a public name: several where it is overloaded."""
    value = getattr(pyusdt, name)
    if isinstance(value, (FunctionType, type)) and value.__module__ != "pyusdt.libpyusdt":
        return parsed(value)
    body = ast.parse(STUB.read_text()).body
    return [node for node in body if isinstance(node, Definition.__value__) and node.name == name]


def parsed(value: object) -> list[Definition]:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(value))).body  # type: ignore[arg-type]
    assert isinstance(node, Definition.__value__)
    return [node]


class Unquoted(ast.NodeTransformer):
    """Annotations that are written as text, since they are not imported at run time."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = self.plain(node.annotation)
        return node

    def plain(self, annotation: ast.expr | None) -> ast.expr | None:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            return ast.parse(annotation.value, mode="eval").body
        return annotation


def section(title: str, nodes: list[Definition]) -> str:
    docstring = next(filter(None, map(ast.get_docstring, nodes)), "")
    signatures = "\n".join(map(signature, nodes))
    parts = [title, f"```python\n{signatures}\n```", text(docstring)]
    if isinstance(nodes[0], ast.ClassDef):
        parts += fields(nodes[0])
    return "\n\n".join(filter(None, parts))


def signature(node: Definition) -> str:
    """`def name(...) -> type`, or how a class is made where it says so."""
    if isinstance(node, ast.ClassDef):
        made = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        if not made:
            return f"class {node.name}"
        del made[0].args.args[0]  # self
        return wrapped(f"class {node.name}", made[0].args, "")
    Unquoted().visit(node.args)
    result = Unquoted().plain(node.returns)
    returns = f" -> {ast.unparse(result)}" if result else ""
    return wrapped(f"def {node.name}", node.args, returns)


def wrapped(head: str, arguments: ast.arguments, returns: str) -> str:
    """On one line where there is room, else a line for each argument."""
    line = f"{head}({ast.unparse(arguments)}){returns}"
    if len(line) <= 88:
        return line
    listed = [ast.unparse(a) for a in one_by_one(arguments)]
    return "\n".join([f"{head}(", *(f"    {argument}," for argument in listed), f"){returns}"])


def one_by_one(arguments: ast.arguments) -> list[ast.arguments | ast.Name]:
    defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    shown: list[ast.arguments | ast.Name] = []
    for argument, default in zip(arguments.args, defaults, strict=True):
        shown.append(alone(argument, default))
    if arguments.kwonlyargs:
        shown.append(ast.Name("*"))
    for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        shown.append(alone(argument, value))
    return shown


def alone(argument: ast.arg, default: ast.expr | None) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[],
        args=[argument],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[] if default is None else [default],
    )


def fields(node: ast.ClassDef) -> list[str]:
    """The attributes and the public methods and properties of a class, a table row each."""
    rows = []
    for member in node.body:
        if isinstance(member, ast.AnnAssign):
            rows.append((f"{ast.unparse(member.target)}: {ast.unparse(member.annotation)}", ""))
        elif isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
            summary = (ast.get_docstring(member) or "").replace("\n", " ")
            rows.append((name_of(member), summary))
    listed = [f"| {escape.code(term)} | {escape.prose(what)} |" for term, what in rows]
    return ["\n".join(["| member | |", "| --- | --- |", *listed])] if listed else []


def name_of(member: ast.FunctionDef) -> str:
    decorators = {ast.unparse(d) for d in member.decorator_list}
    if decorators & {"property", "cached_property"}:
        result = Unquoted().plain(member.returns)
        return f"{member.name}: {ast.unparse(result) if result else 'object'}"
    arguments = [a.arg for a in member.args.args if a.arg not in ("self", "cls")]
    return f"{member.name}({', '.join(arguments)})"


def text(docstring: str) -> str:
    """Paragraphs; indented ones are code, and columns become a table."""
    parts = []
    for part in re.split(r"\n\s*\n", docstring.strip("\n")):
        if part.startswith("    "):
            parts.append(f"```python\n{textwrap.dedent(part)}\n```")
        elif re.match(r"\w+ {2,}\S", part):
            parts.append(columns(part))
        else:
            parts.append(escape.prose(part))
    return "\n\n".join(parts)


def columns(part: str) -> str:
    """`name   text`, with more lines of the text below it: a row for each name."""
    rows = ["| argument | |", "| --- | --- |"]
    for row in re.split(r"\n(?=\w)", part):
        name, _, said = " ".join(row.split()).partition(" ")
        rows.append(f"| {escape.code(name)} | {escape.prose(said)} |")
    return "\n".join(rows)
