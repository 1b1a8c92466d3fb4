# SPDX-License-Identifier: Apache-2.0
"""Calls a function of each module beside it, while their files change. See test_line_sources.py."""

from __future__ import annotations

import importlib
import linecache
import multiprocessing
import os
import py_compile
import sys
from pathlib import Path

HERE = Path(__file__).parent
IMPORTED = (
    "plain later edited touched anew big latin odd linked piped removed zipped deployed".split()
)
CELL = "def in_cell():\n    return 1  # as it ran\n"


def in_main():
    return 1  # as it ran


def call(name):
    getattr(importlib.import_module(name), f"in_{name}")()


def edit(name, new, first=""):
    path = HERE / f"{name}.py"
    path.write_text(first + path.read_text().replace("as it ran", new))


def touch(name):
    """Another text of the same size, and of the same time."""
    path = HERE / f"{name}.py"
    before = path.stat()
    edit(name, "an edit!!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(name):
    path = HERE / f"{name}.py"
    path.unlink()
    return path


def main():
    sys.path += [str(HERE / "zipped.zip"), str(HERE / "current")]
    for name in IMPORTED:
        call(name)
    in_main()

    edit("edited", "edited")
    touch("touched")
    # As another process that imports it does.
    edit("anew", "edited", "\n")
    py_compile.compile(str(HERE / "anew.py"))
    replace("linked").symlink_to("other.py")
    os.mkfifo(replace("piped"))
    replace("removed")
    (HERE / "current").unlink()
    (HERE / "current").symlink_to("2")

    (HERE / "made.py").write_text((HERE / "plain.py").read_text().replace("plain", "made"))
    call("made")
    linecache.cache["<cell 1>"] = len(CELL), None, CELL.splitlines(keepends=True), "<cell 1>"
    for text, file in ((CELL, "<cell 1>"), (CELL.replace("cell", "string"), "<string>")):
        names = {"__name__": "cells"}
        exec(compile(text, file, "exec"), names)
        names[text.split()[1].partition("(")[0]]()

    for method, name in (("fork", "forked"), ("spawn", "spawned")):
        child = multiprocessing.get_context(method).Process(target=call, args=(name,))
        child.start()
        child.join()
        assert child.exitcode == 0


if __name__ == "__main__":
    main()
