# SPDX-License-Identifier: Apache-2.0
"""An application whose every request is attendance of a meeting."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import meeting


def application(environ: dict[str, str], start_response: Callable[..., None]) -> Iterable[bytes]:
    meeting.attend(environ["PATH_INFO"] == "/traced")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\n"]
