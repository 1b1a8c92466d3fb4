# SPDX-License-Identifier: Apache-2.0
"""Names and values as files for other programs hold them: these may print them on a terminal."""

import json
import re
from typing import Any

from pyusdt.report.text import printable

_LONGEST = 32_000  # characters; a cell of a spreadsheet holds 32,767
_HALF = _LONGEST // 2


def whole(text: str) -> str:
    r"""`text` on one line, what is no printable character as \n, \x1b ..., cut if giant."""
    if len(text) > _LONGEST:
        text = f"{text[:_HALF]}…{text[-_HALF:]}"
    return printable(text, 10 * _LONGEST)


def json_text(document: Any) -> str:
    """JSON in ASCII: what a terminal would obey, as escapes that every reader of JSON undoes."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return re.sub("\x7f", r"\\u007f", text)
