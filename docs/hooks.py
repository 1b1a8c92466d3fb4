# SPDX-License-Identifier: Apache-2.0
"""What mkdocs calls while it builds: each `<!-- insert: ... -->` line becomes what it names."""

from typing import Any

from docs.insert import filled

# The watcher of this process has nothing to watch for, and tracers of all processes nothing to see.
from pyusdt import libpyusdt

libpyusdt.stop()


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Fill in what is made from the sources."""
    return filled(markdown, page.file.src_uri)
