# SPDX-License-Identifier: Apache-2.0
"""The one function that opens what a report writes."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO

from pyusdt.errors import UserError
from pyusdt.files import target_of, written


@contextlib.contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A stream to `path`; "-" is standard output.

    A file is written beside and renamed when all went well: a failure leaves what was there. A
    link that another user has put there is not followed. A pipe is written to as it is. Raise
    UserError for a file, and OSError for standard output.
    """
    if path == "-":
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with _explained(path):
        if _is_stream(path):
            with open(path, "wb") as out:
                yield out
            return
        with written(path) as out:
            yield out


def _is_stream(path: str) -> bool:
    """Whether it is no file but a pipe or a device, itself or by a link that may be followed."""
    in_dev = os.path.abspath(path).startswith(("/dev/", "/proc/"))
    path = path if in_dev else target_of(path)
    if os.path.islink(path) and not in_dev:
        return False
    return os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # the reader is gone: no error of the report's
    except OSError as e:
        raise UserError(f"{name}: cannot write: {(e.strerror or str(e)).lower()}") from e
