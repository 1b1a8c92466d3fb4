# SPDX-License-Identifier: Apache-2.0
"""Text that others chose, on its way to a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyusdt.errors import one_line
from pyusdt.harmless import printable, relayed

HARMFUL = {
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x9b31m": r"\x9b31m",
    "a\r\nb\tc": r"a\r\nb\tc",
    "\x7f\0": r"\x7f\x00",
    "\u202etxt.exe\u2066": r"\u202etxt.exe\u2066",
    "a\u200bb\u200d\ufeff\u00ad": r"a\u200bb\u200d\ufeff\xad",
    "a\u2028b\u2029c\x85d": r"a\u2028b\u2029c\x85d",
    "\udcff\ud800": r"\udcff\ud800",
    "\U000e0041": r"\U000e0041",
}


@pytest.mark.parametrize(("text", "shown"), HARMFUL.items(), ids=ascii)
def test_what_a_terminal_obeys_is_an_escape(text: str, shown: str) -> None:
    assert printable(text) == one_line(text) == shown
    if "\udcff" not in text:
        kept = {r"\n": "\n", r"\t": "\t"}
        for escape, character in kept.items():
            shown = shown.replace(escape, character)
        assert relayed(text.encode()).decode() == shown


@pytest.mark.parametrize("text", ["", "Shop.buy", "naïve 数 🐍", "a b", "C:\\new", "'\"<&;|"])
def test_what_people_read_stays(text: str) -> None:
    assert printable(text) == one_line(text) == text
    assert relayed(text.encode()) == text.encode()


def test_bytes_that_are_no_utf8_are_escapes() -> None:
    assert relayed(b"a\xff\xc3\xa9\x9b31m\tb\n") == rb"a\xff" + "é".encode() + b"\\x9b31m\tb\n"


def test_a_long_text_loses_its_middle() -> None:
    assert printable("\x1b" * 100, 11) == r"\x1b\…b\x1b"
    assert printable("a" * 20 + "\x1b" + "b" * 20, 11) == "aaaaa…bbbbb"
    assert len(printable("x" * 1000)) == 199
    assert printable("x" * 1000, None) == "x" * 1000


@given(st.text(st.characters(codec=None)))
def test_any_text(text: str) -> None:
    assert printable(text).isprintable()
    assert one_line(text).isprintable()


@given(st.binary())
def test_any_output(output: bytes) -> None:
    shown = relayed(output).decode()
    assert shown.replace("\n", "").replace("\t", "").isprintable()
    assert shown.count("\n") == output.count(b"\n")
