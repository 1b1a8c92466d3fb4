# SPDX-License-Identifier: Apache-2.0
"""Plain text as Markdown."""

import re

_CODE = re.compile(r"(`[^`]+`)")
_SPECIAL = re.compile(r"([\\*_{}\[\]<>#|])")


def prose(text: str) -> str:
    """`text` shown as it is written; what stands between backquotes stays code."""
    pieces = _CODE.split(text)
    return "".join(
        piece.replace("|", "\\|") if piece.startswith("`") else _SPECIAL.sub(r"\\\1", piece)
        for piece in pieces
    )


def code(text: str) -> str:
    """`text` as code that may stand in a table."""
    return "`" + text.replace("|", "\\|") + "`"
