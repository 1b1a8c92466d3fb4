# SPDX-License-Identifier: Apache-2.0
"""Which texts a recording of lines keeps, as `pyusdt report --lines` shows them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import DEADLINE, environment

import pyusdt

PROGRAM = Path(__file__).parent / "programs/line_sources.py"
MODULES = ("plain", "later", "edited", "touched", "anew", "big", "linked", "piped", "removed",
           "forked", "spawned")  # fmt: skip
NOW = "the text was not recorded: this is that of the file now"
CHANGED = "the file has changed since: this is the text that was recorded"
NONE = "no text: none was recorded"
REPORT = ("--lines", "--full", "--only", "*:in_*")


def text_of(name: str) -> str:
    return f"def in_{name}():\n    return 1  # as it ran\n"


def make(directory: Path) -> Path:
    """The program and its modules, in a directory; the program."""
    for name in MODULES:
        (directory / f"{name}.py").write_text(text_of(name))
    (directory / "big.py").write_text(text_of("big") + "#" * 1_000_000)
    for name, codec, text in (("latin", "latin-1", "Grüße"), ("odd", "koi8-r", "привет")):
        source = f"# coding: {codec}\n{text_of(name)}".replace("it ran", f"it ran: {text}")
        (directory / f"{name}.py").write_bytes(source.encode(codec))
    for version, ran in (("1", "as it ran"), ("2", "as deployed later")):
        (directory / version).mkdir()
        text = text_of("deployed").replace("as it ran", ran)
        (directory / version / "deployed.py").write_text(text)
    (directory / "current").symlink_to("1")
    (directory / "other.py").write_text("SECRET = 1\n" * 3)
    with zipfile.ZipFile(directory / "zipped.zip", "w") as archive:
        archive.writestr("zipped.py", text_of("zipped"))
    program = directory / "program.py"
    program.write_text(PROGRAM.read_text())
    return program


def run(directory: Path, *words: str | Path) -> str:
    """`python -m pyusdt ...` there; its output."""
    command = [sys.executable, "-m", "pyusdt", *words]
    environ = environment(COLUMNS="120", PYUSDT_VERBOSE="0", PYTHONDONTWRITEBYTECODE="")
    done = subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sections(report: str) -> dict[str, str]:
    """By the function's own name."""
    parts = re.split(r"^\S*[.:](in_\w+)\b", report, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


Shown = Callable[[str], str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What the report shows of a function of the program, with the files as they are then."""
    directory = tmp_path_factory.mktemp("sources")
    run(directory, "-o", "out.pyusdt", "--lines", "*", make(directory))
    (directory / "later.py").write_text(text_of("later").replace("as it ran", "edited"))
    found = sections(run(directory, "report", "out.pyusdt", *REPORT))
    return lambda name: found[f"in_{name}"]


@pytest.mark.parametrize("name", ["main", "plain", "made", "forked", "spawned", "cell"])
def test_the_text_that_ran_is_kept(shown: Shown, name: str) -> None:
    """Of the program, of modules of it and of its children, and of what linecache has alone."""
    assert "# as it ran" in shown(name)
    assert "the text" not in shown(name)


def test_an_edit_after_the_end_is_said(shown: Shown) -> None:
    assert CHANGED in shown("later")
    assert "# as it ran" in shown("later")


@pytest.mark.parametrize("name", ["edited", "touched", "anew"])
def test_a_file_that_was_edited_after_its_import_is_not_kept(shown: Shown, name: str) -> None:
    """Neither where size and time are as before, nor where the bytecode is of the new one."""
    assert NOW in shown(name)
    assert "as it ran" not in shown(name)


@pytest.mark.parametrize("name", ["linked", "deployed", "piped", "removed"])
def test_what_has_taken_the_place_of_a_file_is_not_kept(shown: Shown, name: str) -> None:
    """A link, though what it leads to is older; the same above the file; a FIFO; nothing."""
    assert NONE in shown(name)
    assert "SECRET" not in shown(name) and "as deployed" not in shown(name)


def test_files_that_are_too_large_or_in_an_archive_are_not_kept(shown: Shown) -> None:
    assert NONE in shown("big")
    assert NONE in shown("zipped")


def test_a_text_is_decoded_as_its_cookie_says_by_python_s_own_codecs(shown: Shown) -> None:
    assert "# as it ran: Grüße" in shown("latin")
    assert "the text" not in shown("latin")
    # Others are Python code of a codec: the report decodes the file.
    assert NOW in shown("odd")
    assert "# as it ran: привет" in shown("odd")


def test_code_without_a_file_has_no_text(shown: Shown) -> None:
    assert NONE in shown("string")


CODE = "import plain\ndef in_code(): plain.in_plain()\nin_code()"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["-c", CODE], {"plain": True, "code": False}),
        (["-m", "package"], {"module": True}),
        (["package"], {"module": True}),
        (["--no-source", "-m", "package"], {"module": False}),
    ],
    ids=["code", "module", "directory", "no source"],
)
def test_ways_to_start_a_program(tmp_path: Path, words: list[str], kept: dict[str, bool]) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(text_of("module") + "in_module()\n")
    (tmp_path / "plain.py").write_text(text_of("plain"))
    run(tmp_path, "-o", "out.pyusdt", "--lines", "*", *words)
    found = sections(run(tmp_path, "report", "out.pyusdt", *REPORT))
    says = {True: "# as it ran", False: NONE if "-c" in words else NOW}
    for name, is_kept in kept.items():
        assert says[is_kept] in found[f"in_{name}"]
        assert ("the text was not" in found[f"in_{name}"]) is (says[is_kept] == NOW)


def in_a_block() -> None:
    pass


@pytest.mark.parametrize("source", [True, False])
def test_a_block_keeps_texts_unless_it_is_not_to(source: bool) -> None:
    with pyusdt.record(lines=f"{__name__}:in_a_block", source=source) as rec:
        in_a_block()
    kept = rec.recording.source_of(__file__)
    assert (kept is not None and "def in_a_block" in kept.text) is source
