# SPDX-License-Identifier: Apache-2.0
"""The documentation: pages/ is written by hand, the rest is made from the sources.

    python -m docs          builds the site into .cache/docs, strictly: a warning fails
    python -m docs man      writes the man pages into man/, from the same parsers

A line `<!-- insert: WHAT ARGUMENT -->` of a page stands for what `insert.py` makes from the
sources. Nothing that is made is committed, except man/: a wheel is built before pyusdt can be
imported, so it cannot make its man pages itself.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "pages"
