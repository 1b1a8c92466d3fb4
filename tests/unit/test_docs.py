# SPDX-License-Identifier: Apache-2.0
"""What the documents say of the program is what the program says of itself."""

from harness import ROOT

from pyusdt.commands.probes import markdown

BEGIN, END = "<!-- probes -->\n", "\n<!-- /probes -->"


def test_the_table_of_probes_in_the_readme() -> None:
    _, _, rest = (ROOT / "README.md").read_text().partition(BEGIN)
    table, _, _ = rest.partition(END)
    assert table == markdown(), "put what `python -m pyusdt probes --markdown` prints in README.md"
