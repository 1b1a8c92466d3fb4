# SPDX-License-Identifier: Apache-2.0
"""One HTML page that needs nothing else: page.html with style, scripts and data inlined.

The data is JSON in which `<`, `>` and `&` are escaped, so that no name can leave it.
"""

import re
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
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
}


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the page."""
    here = files(__name__)
    parts = {
        "style": here.joinpath("page.css").read_text("utf-8"),
        "script": "\n".join(here.joinpath(name).read_text("utf-8") for name in SCRIPTS),
        "data": escaped(page_data(recording, source=options.source)),
    }
    page = here.joinpath("page.html").read_text("utf-8")
    # One pass: what is put in is not looked at again.
    out.write(re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page).encode())


def escaped(data: Any) -> str:
    """JSON of data in which nothing ends a script."""
    text = json_text(data)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text
