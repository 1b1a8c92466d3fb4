# SPDX-License-Identifier: Apache-2.0
"""What README.md says of the program is what the program says of itself."""

from harness import ROOT

from pyusdt.commands.probes import markdown
from pyusdt.launch import options


def in_readme(name: str) -> str:
    """What README.md has between <!-- name --> and <!-- /name -->."""
    _, _, rest = (ROOT / "README.md").read_text().partition(f"<!-- {name} -->\n")
    return rest.partition(f"\n<!-- /{name} -->")[0]


def test_the_table_of_probes_in_the_readme() -> None:
    assert in_readme("probes") == markdown(), "`pyusdt probes --markdown` prints it"


def test_the_table_of_options_in_the_readme() -> None:
    table = options.markdown()
    assert in_readme("options") == table, "pyusdt.launch.options.markdown() returns it"
