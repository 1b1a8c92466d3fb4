# SPDX-License-Identifier: Apache-2.0
"""One HTML page that needs nothing else: page.html with style, scripts and data inlined.

The data is JSON in which `<`, `>` and `&` are escaped, so that no name can leave it.
"""

import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, BinaryIO

from pyusdt.recording import Recording
from pyusdt.report.html.data import page_data
from pyusdt.report.names import json_text
from pyusdt.report.options import Options

SCRIPTS = (
    "columns.js",
    "measures.js",
    "model.js",
    "totals.js",
    "format.js",
    "lines.js",
    "colours.js",
    "parts.js",
    "flame.js",
    "tables.js",
    "view.js",
    "minimap.js",
    "listing.js",
    "details.js",
    "account.js",
    "app.js",
)
OF_MEMORY = ("memory.js", "timeline.js", "held.js")
"""Where memory was recorded; before the last of the others, which begins."""
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
}


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the page."""
    data = page_data(recording, source=options.source)
    styles, scripts = ["page.css"], [*SCRIPTS]
    if "memory" in data:
        styles.append("held.css")
        scripts[-1:-1] = OF_MEMORY
    parts = {"style": _texts(styles), "script": _texts(scripts), "data": escaped(data)}
    # One pass: what is put in is not looked at again.
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _texts(("page.html",)))
    out.write(page.encode())


def _texts(names: Iterable[str]) -> str:
    return "\n".join(files(__name__).joinpath(name).read_text("utf-8") for name in names)


def escaped(data: Any) -> str:
    """JSON of data in which nothing ends a script."""
    text = json_text(data)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text
