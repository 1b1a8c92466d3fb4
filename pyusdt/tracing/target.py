# SPDX-License-Identifier: Apache-2.0
"""What is traced: a process that has pyusdt loaded, or a program that is started for it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Self

from pyusdt.errors import UsageError, UserError
from pyusdt.launch.run import is_program
from pyusdt.remote import proc
from pyusdt.remote.attached import Process

_LIBPYTHON = re.compile(r"/libpython3[^/]*\.so[^/]*$")
_PYTHON = re.compile(r"python(\d+(\.\d+)?t?d?)?$")
_HASH_BANG = re.compile(rb"#! *(\S+)(?: +(\S+))?")


def library_of(process: Process) -> str:
    """Return the path of the library that `process` has loaded, for tracers here.

    It leads through the process's own root, where bpftrace finds it once, whatever its version, and
    also in another mount namespace. Raises UserError when it is not there any more.
    """
    path = proc.path_of(process.pid, process.library)
    if path is None:
        raise UserError(
            f"the library of process {process.pid}, {process.library.path}, has been replaced "
            "since it was loaded: restart the process"
        )
    return path


def python_of(pid: int) -> str:
    """Return the path of the file that has the interpreter's code in process `pid`: libpython, or
    the program where it is all in one. Raises UserError."""
    try:
        paths = (mapping.path for mapping in proc.mappings(pid, b"/libpython3"))
        libpython = next(filter(_LIBPYTHON.search, paths), None)
        return f"/proc/{pid}/root{libpython or os.readlink(f'/proc/{pid}/exe')}"
    except OSError as error:
        raise UserError(f"cannot look into process {pid}: {error.strerror}") from None


class Held:
    """A Python program that is started, and held before its first line. Use it in a `with`."""

    def __init__(self, words: list[str], environment: Mapping[str, str]) -> None:
        """Start what `words` would start. Raises UserError where that is no Python program."""
        self._holder, theirs = socket.socketpair()
        with theirs:
            command = launch_command(words, theirs.fileno())
            try:
                self.child = subprocess.Popen(
                    command, pass_fds=[theirs.fileno()], env={**os.environ, **environment}
                )
            except OSError as error:
                raise UserError(f"cannot start {command[0]}: {error.strerror}") from None

    def __enter__(self) -> Self:
        """Return the program itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Make sure that it is gone."""
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self._holder.close()

    def wait_held(self) -> bool:
        """Wait until it is loaded and held; False: it has ended, since Python could not run it."""
        return bool(self._holder.recv(16))

    def release(self) -> None:
        """Let it run."""
        self._holder.sendall(b"\n")
        self._holder.close()

    def has_ended(self) -> bool:
        """Tell whether it has."""
        return self.child.poll() is not None

    def wait(self) -> int:
        """Wait for its end; its exit code as a shell counts it."""
        code = self.child.wait()
        return 128 - code if code < 0 else code

    def terminate(self) -> None:
        """Pass SIGTERM on."""
        self.child.send_signal(signal.SIGTERM)


def launch_command(words: list[str], holder: int) -> list[str]:
    """Return the command that runs what `words` run, under our launcher, which `holder` holds.

    Raises UsageError where they are no Python program.
    """
    first = words[0]
    if first.startswith("-") or (is_program(first) and not _PYTHON.match(os.path.basename(first))):
        return _launched([sys.executable], words, holder)
    path = shutil.which(first)
    if path and _PYTHON.match(os.path.basename(path)):
        options, program = _split_options(words[1:])
        return _launched([first, *options], program, holder)
    interpreter = _interpreter_of(path) if path else None
    if path and interpreter:
        return _launched(interpreter, [path, *words[1:]], holder)
    if path is None and not os.path.exists(first):
        raise UsageError(f"there is no program '{first}'")
    raise UsageError(
        f"'{first}' is no Python program: after -- comes a script, -m module, -c code, or a "
        "command that Python runs"
    )


def _launched(python: list[str], program: list[str], holder: int) -> list[str]:
    if program[:2] == ["-m", "pyusdt"]:
        program = program[2:]
    return [*python, "-m", "pyusdt", f"--held-by={holder}", *program]


def _split_options(words: list[str]) -> tuple[list[str], list[str]]:
    """Split the words after `python` into its own options and the program."""
    for i, word in enumerate(words):
        if i and words[i - 1] in ("-X", "-W"):
            continue
        if not word.startswith("-") or word == "-":
            return words[:i], words[i:]
        program = re.search("[cm]", word) if not word.startswith(("--", "-X", "-W")) else None
        if program:  # -m, or -um for -u -m
            flags = [word[: program.start()]] if program.start() > 1 else []
            return [*words[:i], *flags], [f"-{word[program.start() :]}", *words[i + 1 :]]
    raise UsageError("name the program to run: script.py, -m module or -c code")


def _interpreter_of(path: str) -> list[str] | None:
    """Return the Python that the first line of a script names, or None if it names none."""
    with open(path, "rb") as file:
        found = _HASH_BANG.match(file.readline(256))
    words = [os.fsdecode(word) for word in found.groups() if word] if found else []
    if words and os.path.basename(words[0]) == "env":
        del words[0]
    if not words or not _PYTHON.match(os.path.basename(words[0])):
        return None
    return words
