# SPDX-License-Identifier: Apache-2.0
"""The one function that opens what a report writes."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO

from pyusdt.errors import UserError
from pyusdt.files import beside


@contextlib.contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A stream to `path`; "-" is standard output.

    A file is written beside and renamed when all went well: a failure leaves what was there.
    What is there and no file (a pipe, /dev/stdout) is written to as it is. Raise UserError.
    """
    if path == "-":
        sys.stdout.flush()
        with _explained("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    with _explained(path):
        if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "wb") as out:
                yield out
            return
        target = os.path.realpath(path)
        with beside(target) as new:
            with open(new, "xb") as out:
                yield out
            os.replace(new, target)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # the reader is gone: no error of the report's
    except OSError as e:
        raise UserError(f"{name}: cannot write: {(e.strerror or str(e)).lower()}") from e
