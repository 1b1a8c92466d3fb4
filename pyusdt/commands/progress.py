# SPDX-License-Identifier: Apache-2.0
"""Progress of what takes long: on a terminal only, and only after a second."""

import sys
import time

from pyusdt.recording import Recording, load

_PATIENCE_SECONDS = 1.0


def loaded(path: str) -> Recording:
    """The recording at `path`; see `pyusdt.load`."""
    if not sys.stderr.isatty():
        return load(path)
    from rich.console import Console
    from rich.progress import Progress

    late = time.monotonic() + _PATIENCE_SECONDS
    progress = Progress(console=Console(stderr=True), transient=True)
    task = progress.add_task("reading")

    def tell(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)
        if time.monotonic() > late:
            progress.start()  # which does nothing the second time

    try:
        return load(path, tell)
    finally:
        progress.stop()
