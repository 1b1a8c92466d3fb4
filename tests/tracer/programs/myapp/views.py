# SPDX-License-Identifier: Apache-2.0
"""The part that is wanted."""

from __future__ import annotations

import time

from myapp import models


def show(i: int) -> str:
    return "shown" if models.load(i) else "none"


def fail() -> None:
    models.swallow()
    try:
        models.refuse()
    except ValueError:
        pass


def nap() -> None:
    time.sleep(0.02)
