# SPDX-License-Identifier: Apache-2.0
"""Other people's tools, installed from PyPI into environments of the bench, under .cache/bench."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.errors import UnavailableError

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}{sys.abiflags}"
INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Peer:
    """A package of PyPI, and its environment: a separate one where names clash."""

    requirement: str
    home: str = "peers"


PEERS = {
    # An earlier implementation of the same idea, with the same names of probes.
    "earlier": Peer("pyusdt==0.1.1", "earlier"),
    "pyperformance": Peer("pyperformance>=1.14"),
    "viztracer": Peer("viztracer>=1.1"),
    "yappi": Peer("yappi>=1.7"),
    "line_profiler": Peer("line_profiler>=5"),
    "coverage": Peer("coverage>=7.6"),
    "pyinstrument": Peer("pyinstrument>=5"),
    "scalene": Peer("scalene>=2"),
    "memray": Peer("memray>=1.17"),
    "py-spy": Peer("py-spy>=0.4"),
    # The programs of 4.0 need a newer C library than stable distributions have.
    "austin": Peer("austin-dist==3.7.0"),
}
# Builds for a Python use the first python3-config on PATH.
CONFIG = f"python{VERSION}-config"


@cache
def python_of(*names: str) -> Path:
    """Return the interpreter of the environment with these peers. Raises UnavailableError."""
    homes = {PEERS[name].home for name in names}
    assert len(homes) == 1, f"{names} live in different environments"
    home = environment(homes.pop())
    for name in names:
        install(home, PEERS[name].requirement)
    return home / "bin" / "python"


@cache
def environment(name: str) -> Path:
    home = CACHE / f"{name}-{VERSION}"
    stamp = home / "made"
    if not stamp.exists():
        run(sys.executable, "-m", "venv", "--clear", str(home))
        config = shutil.which(CONFIG, path=sysconfig.get_config_var("BINDIR"))
        if config is not None:
            (home / "bin" / "python3-config").symlink_to(config)
        stamp.touch()
    return home


@cache
def install(home: Path, requirement: str) -> None:
    stamp = home / f"has {requirement}"
    if not stamp.exists():
        python = str(home / "bin" / "python")
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", requirement)
        stamp.touch()


def library_of(name: str, stem: str) -> Path:
    """Return the compiled library of a peer. Raises UnavailableError."""
    home = python_of(name).parent.parent
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for path in home.rglob(f"{stem}{suffix}"):
        return path
    raise UnavailableError(f"{PEERS[name].requirement} has no {stem}{suffix}")


def program_of(name: str) -> Path:
    """Return the program of a peer. Raises UnavailableError."""
    return python_of(name).parent / name


def versions() -> str:
    """Return the installed peers and their versions, as text."""
    found = []
    for name, peer in PEERS.items():
        python = CACHE / f"{peer.home}-{VERSION}" / "bin" / "python"
        package = peer.requirement.partition("=")[0].rstrip("<>")
        program = f"import importlib.metadata as m; print(m.version({package!r}))"
        if not python.exists():
            continue
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found.append(f"{name} {done.stdout.strip()}")
    return ", ".join(found) or "none"


def run(*command: str) -> None:
    own = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    own["PATH"] = f"{Path(command[0]).parent}{os.pathsep}{own['PATH']}"
    try:
        done = subprocess.run(
            command,
            env=own,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{what(command)} took over {INSTALL_SECONDS} s") from None
    if done.returncode != 0:
        output = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        errors = [line.strip() for line in output if "Error" in line] or output
        raise UnavailableError(f"{what(command)} failed: {errors[0]}")


def what(command: tuple[str, ...]) -> str:
    """Return a command as text, without directories."""
    return " ".join(word for word in command[1:] if not word.startswith(("/", "-q", "--disable")))
