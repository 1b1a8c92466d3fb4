# SPDX-License-Identifier: Apache-2.0
"""What the README says about costs is what the latest run of the bench shows."""

from __future__ import annotations

import re

import pytest

from bench import readme, results

pytestmark = [pytest.mark.once, pytest.mark.apart]

COSTS = re.compile(r"^## What it costs\n(.*?)^## ", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@pytest.fixture(scope="module")
def costs() -> str:
    found = COSTS.search(readme.PATH.read_text())
    assert found is not None, "the README has no section What it costs"
    return found[1]


def test_every_figure_is_that_of_the_row_that_it_names() -> None:
    _, rows = results.load()
    assert readme.unfounded(readme.PATH.read_text(), rows) == []


def test_every_number_about_costs_names_its_row(costs: str) -> None:
    without = COMMENT.sub("", readme.FIGURE.sub("", costs))
    # Versions, ids and sizes that are no figures are written as code.
    without = re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)", "", without)
    assert re.findall(r"\d[\d.,]*", without) == []


def test_the_section_has_figures(costs: str) -> None:
    assert len(readme.FIGURE.findall(costs)) >= 5


def test_the_tables_are_of_one_run() -> None:
    about, rows = results.load()
    text = results.MARKDOWN.read_text()
    assert f"- date: {about['date']}" in text
    missing = [row.case for row in rows if row.case not in text]
    assert missing == []
