# SPDX-License-Identifier: Apache-2.0
"""Values, names and files that would do harm if they were printed carelessly."""

from __future__ import annotations

import pytest

ODD = ["raises", "exits", "surrogate", "long", "not_text", "subclass", "nul", "nested"]
PLAIN = "{'k': (1, 2.5, None, b'b')}"
KINDS = {"not_text": "NotText"}


def kind(name: str) -> str:
    return f"<__main__.{KINDS.get(name, name.capitalize())}>"


@pytest.mark.parametrize("variable", [{}, {"PYUSDT_VALUES": "safe"}], ids=["default", "safe"])
def test_no_code_of_the_program_is_run(listen, variable):
    told = listen("values.py", **variable)
    expected = {name: kind(name) for name in ODD}
    assert told["texts"] == expected | {"nested": "[1, 'a', <__main__.Surrogate>]", "plain": PLAIN}
    assert told["ran"] == []


def test_repr_runs_it_and_survives(listen):
    told = listen("values.py", PYUSDT_VALUES="repr")
    texts = told["texts"]
    assert texts.pop("long") == "x" * 197 + "..."
    assert texts == {
        "raises": "<repr failed: RuntimeError>",
        "exits": "<repr failed: SystemExit>",
        "surrogate": r"lone \udc80 one",
        "not_text": "<repr failed: TypeError>",
        "subclass": "mine",
        "nul": r"a\x00b",
        "nested": r"[1, 'a', lone \udc80 one]",
        "plain": PLAIN,
    }
    assert sorted(told["ran"]) == sorted([*ODD[:-1], "surrogate"])


def test_off_says_nothing_of_values(listen):
    told = listen("values.py", PYUSDT_VALUES="off")
    assert told["texts"] == dict.fromkeys([*ODD, "plain"], "")
    assert told["ran"] == []


def test_names_that_no_source_has(listen):
    told = listen("odd_code.py")
    names, ids = [hit[:3] for hit in told], [int(hit[3]) for hit in told]
    assert names[:4] == [
        ["<odd> 'name\"", r"<odd: ünï\x0a'file'>", "größe.<locals>.✓"],
        [r"nul\x00inside", r"/tmp/nul\x00inside.py", r"a\x00b"],
        [r"lone\udc80", r"\ud800/file", r"\udfff"],
        ["", "", ""],
    ]
    # 1 MB each: cut, at whole characters, and said so.
    function, file, qualname = names[4]
    assert function == "n" * (len(function) - 3) + "..."
    assert file == "f" * (len(file) - 3) + "..."
    assert qualname == "ü" * (len(qualname) - 3) + "..."
    assert max(map(len, names[4])) <= 4096
    assert names[4] == names[5] and ids[4] == ids[5]
    assert names[6:] == [["<module>", "<odd: exec>", "<module>"], ["made", "<odd: exec>", "made"]]
    assert len(set(ids)) == len(ids) - 1


def test_functions_of_pyusdt_are_never_told_of(listen, copy):
    files = listen("own.py")
    assert any(file.endswith("own.py") for file in files)
    assert any(file.endswith("contextlib.py") for file in files)
    assert [file for file in files if file.startswith((str(copy), str(copy.resolve())))] == []
