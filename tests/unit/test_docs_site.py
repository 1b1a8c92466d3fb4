# SPDX-License-Identifier: Apache-2.0
"""The site, ARCHITECTURE.md and CONTRIBUTING.md: they build, and what they name is there."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import missing
from harness import ROOT

import pyusdt
from bench import readme, results
from docs import PAGES, commands, insert
from pyusdt.commands import VERBS

pytestmark = [pytest.mark.once, pytest.mark.apart]

GUIDES = [ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]
WRITTEN = [*GUIDES, *sorted(PAGES.rglob("*.md"))]
NAMES = [path.name for path in WRITTEN]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
written = pytest.mark.parametrize("path", WRITTEN, ids=NAMES)
guides = pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)


def blocks(path: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(path.read_text()) if kind == language]


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built as `make docs` does."""
    try:
        import mkdocs  # noqa: F401
    except ImportError:
        missing("mkdocs is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "docs"], cwd=ROOT, text=True, capture_output=True, check=False
    )
    output = (done.stdout + done.stderr).splitlines()
    assert (done.returncode, output) == (0, ["docs: .cache/docs/index.html"])
    return ROOT / ".cache" / "docs"


def test_the_site_has_each_page_and_nothing_left_to_insert(site: Path) -> None:
    for page in PAGES.rglob("*.md"):
        made = (site / page.relative_to(PAGES)).with_suffix(".html").read_text()
        assert "insert:" not in made.replace("&lt;!-- insert: ... --&gt;", "").replace(
            "&lt;!-- insert: WHAT", ""
        ), page


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(
        r'<(?:script|img|iframe)[^>]*\bsrc="?(?:https?:)?//'
        r'|<link[^>]*rel="?(?:stylesheet|preconnect|icon)"?[^>]*href="?(?:https?:)?//'
    )
    assert [page.name for page in site.rglob("*.html") if loaded.search(page.read_text())] == []


def test_the_site_has_what_the_sources_have(site: Path) -> None:
    assert "pyslower.bt" in (site / "scripts.html").read_text()
    assert "CREATE VIEW" in re.sub(r"<[^>]+>", "", (site / "recording.html").read_text())
    assert 'id="pyusdt-function__slow"' in (site / "probes.html").read_text()
    api = (site / "api.html").read_text()
    assert [n for n in pyusdt.__all__ if n[0] != "_" and f'id="pyusdt{n.lower()}"' not in api] == []


def test_each_verb_has_a_page_with_its_arguments() -> None:
    pages = {path.stem for path in (PAGES / "commands").glob("*.md")}
    assert pages == {*VERBS, "index"}
    for verb in VERBS:
        assert f"<!-- insert: verb {verb} -->" in (PAGES / "commands" / f"{verb}.md").read_text()


def test_the_launcher_is_read_from_its_help() -> None:
    launcher = commands.launcher()
    assert {"-h, --help", "-V, --version"} <= {entry.term for entry in launcher.options}
    assert len(launcher.synopsis) == 2
    assert launcher.description
    assert all(entry.text for entry in launcher.options)


@pytest.mark.parametrize("verb", VERBS)
def test_all_arguments_of_a_verb_are_explained(verb: str) -> None:
    command = commands.verb(verb)
    assert command.description
    assert all(entry.text for entry in (*command.arguments, *command.options))
    shown = insert.verb(verb, "")
    assert "python -m" not in shown
    assert str(ROOT) not in shown


def test_the_page_about_settings_has_those_that_are_read() -> None:
    source = (ROOT / "src/control/settings.c").read_text()
    assert {entry.term for entry in commands.settings()} == set(
        re.findall(r'"(PYUSDT_\w+)"', source)
    )


@written
def test_python_examples_name_what_there_is(path: Path) -> None:
    for text in blocks(path, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pyusdt":
                assert node.attr in pyusdt.__all__


@written
def test_figures_are_those_of_the_bench(path: Path) -> None:
    _, rows = results.load()
    assert readme.unfounded(path.read_text(), rows) == []


@written
def test_links_to_files_lead_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text())
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        assert re.match("https?:", target) or (path.parent / target).exists(), target


@guides
def test_paths_exist(path: Path) -> None:
    named = re.findall(
        r"(?<![\w./-])((?:src|include|pyusdt|scripts|tests|bench|docs|tools|man|\.ci)/[\w./*-]*)",
        path.read_text(),
    )
    assert len(named) > 5
    for name in named:
        name = name.rstrip(".")
        assert "NAME" in name or list(ROOT.glob(name)), name


@guides
def test_functions_and_columns_exist(path: Path) -> None:
    sources = "\n".join(
        file.read_text() for kind in ("src/**/*.[ch]", "pyusdt/**/*.py") for file in ROOT.glob(kind)
    )
    for name in re.findall(r"`(?:\w+\.)?(\w+)\(\)`", path.read_text()):
        assert re.search(rf"\b{name}\(", sources) or f"class {name}" in sources, name
    for name in re.findall(r"`(s_\w+)`", path.read_text()):
        if name != "s_":
            assert re.search(rf"\b{name}\b", sources), name


def test_what_one_place_alone_does_is_done_there_alone() -> None:
    asks = {
        str(f.relative_to(ROOT))
        for f in ROOT.glob("src/**/*.[ch]")
        if "Py_Version" in f.read_text()
    }
    assert asks == {"src/python/compat.h"}
    files = ROOT.glob("src/**/*.[ch]")
    users = {f.parent.name for f in files if '#include "usdt.h"' in f.read_text()}
    assert users == {"probe", "compat"}


@guides
def test_make_targets_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([\w-]+):.*?## ", makefile, re.MULTILINE))
    named = re.findall(r"(?:`|^\$ (?:\w+=\S+ )*)make ([a-z][\w-]*)", path.read_text(), re.MULTILINE)
    assert set(named) <= targets
    if path.name == "CONTRIBUTING.md":
        assert targets - {"all", "help"} <= set(named), "each target is in the table"


def test_the_kinds_of_tests_are_those_there_are() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"^\| `tests/(\w+)` ", text, re.MULTILINE))
    kinds = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert named == kinds - {"world"}


def test_the_bench_takes_the_options_that_are_named() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"-m bench .*?--only (\S+)", text)
    assert named
    _, rows = results.load()
    assert [name for name in named if not any(name in row.case for row in rows)] == []


def test_gdb_stops_in_a_callback(tool) -> None:
    """The command that CONTRIBUTING.md has, word by word."""
    tool("gdb")
    (command,) = re.findall(r"^\$ (gdb .*)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    command = command.replace(".venv/bin/python", sys.executable)
    done = subprocess.run(
        command, shell=True, cwd=ROOT, text=True, capture_output=True, check=False, timeout=120
    )
    assert re.search(r"^#0  on_PY_START .* at src/capture/", done.stdout, re.MULTILINE), (
        done.stdout + done.stderr
    )


def test_each_message_of_the_troubleshooting_page_exists() -> None:
    files = [*ROOT.glob("pyusdt/**/*.py"), *ROOT.glob("src/**/*.c")]
    sources = "\n".join(file.read_text() for file in files)
    sources = re.sub(r'"\s*\n\s*f?"', "", sources)  # a literal on several lines
    text = (PAGES / "troubleshooting.md").read_text()
    messages = re.findall(r"^### `(.+?)`", text, re.MULTILINE)
    assert len(messages) > 10
    for message in messages:
        pieces = [piece.strip(" :") for piece in message.split("...")]
        absent = [p for p in pieces if p and p not in sources and p not in os.strerror(13)]
        assert absent == [], message


def test_workflows_and_hooks_call_what_there_is() -> None:
    yaml = pytest.importorskip("yaml")
    makefile = (ROOT / "Makefile").read_text()
    files = [*ROOT.glob(".github/workflows/*.yml"), ROOT / ".pre-commit-config.yaml"]
    assert len(files) >= 2
    for file in files:
        assert yaml.safe_load(file.read_text())
        for target in re.findall(r"\bmake ([a-z][\w-]*)", file.read_text()):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
