# SPDX-License-Identifier: Apache-2.0
"""The application of wsgi.py for asynchronous servers. It blocks the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import meeting


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[object]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    meeting.attend(scope["path"] == "/traced")
    head = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"ok\n"})
