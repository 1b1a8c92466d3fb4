# SPDX-License-Identifier: Apache-2.0
"""The processes of a bench: each has a limited time to answer a request."""

import os
import select
import subprocess
import tempfile
import time
from types import TracebackType
from typing import IO, Self

from bench.errors import BenchError

ANSWER_SECONDS = 60.0
# The time in which a process that does not answer has to end.
END_SECONDS = 5.0


def read_until(stream: IO[bytes], word: bytes, seconds: float = ANSWER_SECONDS) -> bytes:
    """Read up to a line with `word` in it, up to the end, or for `seconds`."""
    output, deadline = b"", time.monotonic() + seconds
    while word not in output or not output.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            break
        part = os.read(stream.fileno(), 65536)
        if not part:
            break
        output += part
    return output


class Worker:
    """The process of a subject: it runs a round on request."""

    def __init__(self, command: list[str], **variables: str) -> None:
        self.command = command
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self.process = subprocess.Popen(
            command,
            env=os.environ | {"PYUSDT_CHECK_MSEC": "10", "PYTHONHASHSEED": "0"} | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            bufsize=0,
        )
        try:
            if self.answer() != b"ready":
                raise self.failed("did not start")
        except BaseException:
            self.stop()
            raise

    def answer(self) -> bytes:
        assert self.process.stdout is not None
        return read_until(self.process.stdout, b"\n").strip()

    def ask(self, request: bytes) -> tuple[int, int]:
        """Return the ns that the round took, and its units of work."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(request)
            nanoseconds, units = self.answer().split()
        except (OSError, ValueError):
            raise self.failed("ended early, or took too long") from None
        return int(nanoseconds), int(units)

    def failed(self, how: str) -> BenchError:
        """Return the error to raise where it does not answer. Ends it, if it has not ended."""
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        names = [word.rpartition("/")[2] for word in self.command if "=" not in word]
        why = lines[-1] if lines else f"exit status {status}"
        return BenchError(f"{' '.join(names)} {how}: {why}")

    def wait_for_events(self) -> int:
        """Return when events were enabled, in ns of the monotonic clock."""
        return self.ask(b"w")[0]

    def wait_for_silence(self) -> int:
        """Return when events were disabled, in ns of the monotonic clock."""
        return self.ask(b"o")[0]

    def run(self) -> tuple[int, int]:
        return self.ask(b"r")

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
