# SPDX-License-Identifier: Apache-2.0
"""The texts of the files whose lines were recorded, taken when the recording ends.

Only of files that this process itself has run as Python source, which have not changed since: a
file is read if a module that was imported, or the program, was loaded from it as source. Where the
file, or a link that leads to it, is newer than the process, the bytecode that Python has kept of it
must be of this very file, and have the functions of the module as they are: others may have written
both anew. What has no file, such as a cell of a notebook, is taken from linecache. No code of the
program is run, and texts are decoded by codecs of Python itself alone.
"""

import hashlib
import marshal
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from pyusdt import libpyusdt as core
from pyusdt.files import open_regular
from pyusdt.lined import STARTED_NS
from pyusdt.rundir import RunDirectory
from pyusdt.system import io, os

_LARGEST = 1_000_000  # bytes of a file
_MOST = 64_000_000  # characters of all files
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)  # PEP 263
_BLANK = re.compile(rb"^[ \t\f]*(?:[#\r\n]|$)", re.ASCII)
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "u8": "utf-8", "ascii": "ascii", "us-ascii": "ascii",
           "latin-1": "latin-1", "latin1": "latin-1", "iso-8859-1": "latin-1",
           "iso8859-1": "latin-1"}  # fmt: skip
_MOST_LINKS = 40  # as the kernel has it
_MOST_BYTECODE = 16_000_000  # bytes
_NO_BYTECODE = (OSError, ValueError, EOFError, TypeError, MemoryError)  # of marshal, on any bytes
_PLAIN = frozenset({int, float, str, bytes, bool})  # constants that are compared


class _Loaded(NamedTuple):
    """A file that a module was loaded from."""

    cached: str | None
    """Of its bytecode."""
    names: dict[str, Any]
    """Of the module."""


def captured() -> dict[str, str]:
    """The texts of the files whose lines are, or were, recorded, by name."""
    texts: dict[str, str] = {}
    loaded: dict[str, _Loaded] | None = None
    left = _MOST
    for file in sorted(core.lined_files()):
        if file[:1] == "<":
            text = _from_linecache(file)
        else:
            loaded = _loaded() if loaded is None else loaded
            text = _read(file, loaded[file]) if file in loaded else _from_linecache(file)
        if text is not None and len(text) <= min(left, _LARGEST):
            left -= len(text)
            texts[file] = text
    return texts


def save(run: RunDirectory, token: str, texts: dict[str, str]) -> None:
    """Put what is captured into the directory of a run, for the part that names the token. Raises
    OSError."""
    if not texts:
        return
    directory = os.open(run.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        it = os.fstat(directory)
        if (it.st_dev, it.st_ino) != (run.device, run.inode):
            return
        entries = []
        for file, text in texts.items():
            data = _utf8(text)
            sha256 = hashlib.sha256(data).hexdigest()
            _put(directory, f"text.{sha256}", data)
            entries.append(sha256.encode() + b" " + _utf8(file))
        _put(directory, f"sources.{token}-{os.getpid()}", b"\0".join(entries), again=True)
    finally:
        os.close(directory)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\x00")


def _put(directory: int, name: str, data: bytes, *, again: bool = False) -> None:
    """Write a file whole, unless it is there and need not be written `again`."""
    if not again:
        with suppress(FileNotFoundError):
            os.stat(name, dir_fd=directory, follow_symlinks=False)
            return
    new = f"{name}.{os.getpid()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with io.open(os.open(new, flags, 0o600, dir_fd=directory), "wb") as out:
        out.write(data)
    os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)


def _loaded() -> dict[str, _Loaded]:
    """The files that modules were loaded from as source."""
    found: dict[str, _Loaded] = {}
    for name, module in list(sys.modules.items()):
        if not issubclass(type(module), ModuleType):
            continue
        names = _attributes(module)
        spec, file = _attributes(names.get("__spec__")), names.get("__file__")
        loader = spec.get("loader", names.get("__loader__"))
        if issubclass(type(loader), SourceFileLoader):
            file = _attributes(loader).get("path")
        elif spec:
            file = spec.get("origin")  # of another loader, such as that of pytest
        elif name not in ("__main__", "__mp_main__"):
            continue
        if type(file) is str and (file.endswith((".py", ".pyw")) or name == "__main__"):
            cached = spec.get("_cached")
            found[file] = _Loaded(cached if type(cached) is str else _cached(file), names)
    return found


def _cached(file: str) -> str | None:
    """From 3.15 on, modules have no name of their bytecode."""
    with suppress(NotImplementedError):
        return cache_from_source(file)
    return None


def _attributes(it: Any) -> dict[str, Any]:
    """What an object has in its __dict__, without running code of the program."""
    try:
        names = object.__getattribute__(it, "__dict__")
    except AttributeError:
        return {}
    return names if type(names) is dict else {}


def _read(file: str, loaded: _Loaded) -> str | None:
    with suppress(OSError, ValueError), open_regular(file) as stream:
        it = os.fstat(stream.fileno())
        old = it.st_ctime_ns <= STARTED_NS and _leads_there_since_the_start(file)
        if it.st_size > _LARGEST or not (old or _is_of(loaded, it, file)):
            return None
        return decoded(stream.read(_LARGEST + 1))
    return None


def _leads_there_since_the_start(file: str) -> bool:
    """Whether no link on the way is newer than the process. Raises OSError."""
    names, at = file.split("/")[::-1], "/" if file[:1] == "/" else ""
    links = 0
    while names:
        path = os.path.join(at, names.pop())
        it = os.lstat(path)
        if not stat.S_ISLNK(it.st_mode):
            at = path
            continue
        links += 1
        if it.st_ctime_ns > STARTED_NS or links > _MOST_LINKS:
            return False
        target = os.readlink(path)
        names += target.split("/")[::-1]
        at = "/" if target[:1] == "/" else at
    return True


def _is_of(loaded: _Loaded, it: os.stat_result, file: str) -> bool:
    """Whether the bytecode was written after this file, is of it as its head says (flags 0, then
    time and size of the source), and has the module's functions. It is read as an import would
    read it, and not run: who may write it has the next import run it."""
    if loaded.cached is None:
        return False
    with suppress(*_NO_BYTECODE), open_regular(loaded.cached) as stream:
        if os.fstat(stream.fileno()).st_ctime_ns < it.st_ctime_ns:
            return False
        data = stream.read(_MOST_BYTECODE)
        about = (0, int(it.st_mtime) & 0xFFFFFFFF, it.st_size & 0xFFFFFFFF)
        numbers = [int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12)]
        if len(data) < 16 or tuple(numbers) != about:
            return False
        there = {_known_by(code) for code in _within(marshal.loads(memoryview(data)[16:]))}
        return all(_known_by(code) in there for code in _functions(loaded.names, file))
    return False


def _within(code: Any) -> Iterator[CodeType]:
    """The code of a module with all that is in it."""
    if type(code) is CodeType:
        yield code
        for constant in code.co_consts:
            yield from _within(constant)


def _functions(names: dict[str, Any], file: str, depth: int = 3) -> Iterator[CodeType]:
    """The code of the functions of a module, and of classes in it, that are of its file."""
    for it in list(names.values()):
        if type(it) is FunctionType:
            code = it.__code__
            texts = code.co_filename, code.co_qualname
            if all(type(text) is str for text in texts) and texts[0] == file:
                yield code
        elif type(it) is type and depth:
            yield from _functions(dict(it.__dict__), file, depth - 1)


def _known_by(code: CodeType) -> tuple[object, ...]:
    """What two code objects differ in whose texts differ."""
    plain = tuple(it for it in code.co_consts if type(it) in _PLAIN)
    return code.co_qualname, code.co_firstlineno, code.co_code, code.co_linetable, plain


def decoded(data: bytes) -> str | None:
    """The text of a source, as Python reads it; None: it is none, or needs another codec."""
    codec: str | None = "utf-8"
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()[:2]:
        if match := _COOKIE.match(line):
            codec = _CODECS.get(match[1].decode("ascii").lower().replace("_", "-"))
            break
        if not _BLANK.match(line):
            break
    if codec is None or len(data) > _LARGEST:
        return None
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode(codec)
    except UnicodeDecodeError:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _from_linecache(file: str) -> str | None:
    """What the program has put there for a name that is no file. "<string>" is of many texts."""
    cache = _attributes(sys.modules.get("linecache")).get("cache")
    entry = cache.get(file) if type(cache) is dict and file != "<string>" else None
    if type(entry) is not tuple or len(entry) != 4 or type(entry[2]) is not list:
        return None
    if entry[1] is not None or os.path.lexists(file):
        return None
    lines = entry[2]
    if not all(type(line) is str for line in lines) or sum(map(len, lines)) > _LARGEST:
        return None
    return "".join(lines)
