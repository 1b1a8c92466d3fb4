# SPDX-License-Identifier: Apache-2.0
"""The private directory of a run, beside the file that it records to: `.NAME.TOKEN`, mode 0700.

What every recorded process imports, so it is little. What the directory is for: recording/run.py.
"""

import re
import stat
import sys
from contextlib import suppress
from json import dumps
from typing import NamedTuple

from pyusdt.errors import UserError
from pyusdt.system import io, os

_TOKEN = re.compile(r"[0-9a-f]{16}")
_NAME_MAX = 255
_MOST_PATHS = 100
KERNEL_ROWS = "kernel.json"
"""What --kernel has counted, when it is over."""
KEEPER = "kernel.pid"
"""The process that counts it, while it does."""
OF_KERNEL = (KERNEL_ROWS, f"{KERNEL_ROWS}.new", KEEPER)


class RunDirectory(NamedTuple):
    """`path` is that of the run's file; `device` and `inode` are those of the directory."""

    path: str
    token: str
    directory: str
    device: int
    inode: int


def is_token(text: str) -> bool:
    """Whether it is the token of a run."""
    return _TOKEN.fullmatch(text) is not None


def is_name(name: str, token: str) -> bool:
    """Whether a directory of this name may be that of the run, whatever its file was called."""
    plain = "/" not in name and "\0" not in name
    return is_token(token) and plain and name[:1] == "." and name.endswith(f".{token}")


def is_private(it: os.stat_result) -> bool:
    """Whether it is a directory that only this user can look into."""
    return stat.S_ISDIR(it.st_mode) and it.st_uid == os.geteuid() and not it.st_mode & 0o077


def directory_of(path: str, token: str) -> str:
    """The directory's path."""
    parent, name = os.path.split(path)
    room = _NAME_MAX - len(f"..{token}")
    return os.path.join(parent, f".{os.fsdecode(os.fsencode(name)[:room])}.{token}")


def make(path: str, token: str) -> RunDirectory:
    """Make the directory. Raises OSError: FileExistsError where it is there."""
    directory = directory_of(path, token)
    os.mkdir(directory, 0o700)
    if os.lstat(directory).st_mode & 0o700 != 0o700:
        _open_to_this_user(directory)
    return join(path, token)


def _open_to_this_user(directory: str) -> None:
    """The umask has taken that. Others may put a link in its place meanwhile."""
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if is_private(os.fstat(fd)):
            os.chmod(f"/proc/self/fd/{fd}", 0o700)
    finally:
        os.close(fd)


def join(path: str, token: str) -> RunDirectory:
    """The directory that another process has made. Raises OSError where it is gone, and UserError
    where it is not one that only this user can write to."""
    if not is_token(token):
        raise UserError(f"{path}: no run has the token {token!r}")
    directory = directory_of(path, token)
    it = os.lstat(directory)
    if not is_private(it):
        raise UserError(f"{directory}: not a private directory of this user")
    return RunDirectory(path, token, directory, it.st_dev, it.st_ino)


def begin_block(run: RunDirectory, block: str) -> None:
    """The block of that token is entered, perhaps once more."""
    with suppress(OSError):
        os.unlink(_end_of(run, block))


def end_block(run: RunDirectory, block: str) -> None:
    """It is left. Processes that began in it go on; what they start takes no part any more."""
    with suppress(OSError):
        os.close(os.open(_end_of(run, block), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def is_block_over(run: RunDirectory, block: str) -> bool:
    """Whether it has been left; "", which is none, never is."""
    return bool(block) and (
        os.path.exists(_end_of(run, block)) or not os.path.exists(run.directory)
    )


def _end_of(run: RunDirectory, block: str) -> str:
    return os.path.join(run.directory, f"{block}.over")


def where() -> dict[str, str]:
    """The machine, and the namespace of this process's pid."""
    boot = namespace = ""
    with suppress(OSError), io.open("/proc/sys/kernel/random/boot_id", "rb", 0) as file:
        boot = file.read().decode().strip()
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid")
    return {"host": os.uname().nodename, "boot": boot, "namespace": namespace}


def paths() -> list[str]:
    """Where this process imports from, and its working directory."""
    found = [path for path in sys.path if isinstance(path, str) and os.path.isabs(path)]
    with suppress(OSError):
        found.append(os.getcwd())
    return found[-_MOST_PATHS:]


def about(
    *,
    only: str = "",
    exclude: str = "",
    c_calls: bool = False,
    times: str = "exact",
    flush: float = 0,
    threads: list[int] | None = None,
    sources: str = "",
) -> str:
    """What a part reports of its process and its options: JSON. `sources` is the token of the list
    of them that its process may write."""
    facts = {
        **where(),
        "command": " ".join(sys.orig_argv or sys.argv),
        "python": sys.version.split()[0],
        "only": only,
        "exclude": exclude,
        "c_calls": c_calls,
        "times": times,
        "flush": flush,
        "threads": threads,
        "sources": sources,
        "paths": paths(),
    }
    return dumps(facts)
