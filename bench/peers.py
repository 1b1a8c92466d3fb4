# SPDX-License-Identifier: Apache-2.0
"""Other people's tools, each installed into an environment of its own under .cache/bench."""

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.errors import UnavailableError

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"


@dataclass(frozen=True)
class Peer:
    """A package of PyPI. `library` is its compiled part, where its probes are."""

    name: str
    requirement: str
    library: str


PEERS = {
    peer.name: peer
    for peer in (
        # The earlier implementation of the same idea, with the same names for its probes.
        Peer("earlier", "pyusdt==0.1.1", "libpyusdt"),
    )
}


@cache
def python_of(name: str) -> Path:
    """Return the interpreter of an environment that has the peer. Raises UnavailableError."""
    peer = PEERS[name]
    version = f"{sys.version_info.major}.{sys.version_info.minor}{sys.abiflags}"
    home = CACHE / f"{peer.name}-{version}"
    python = home / "bin" / "python"
    stamp = home / peer.requirement
    if not stamp.exists():
        run(sys.executable, "-m", "venv", "--clear", str(home))
        pip = (str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check")
        run(*pip, peer.requirement)
        stamp.touch()
    return python


def library_of(name: str) -> Path:
    """Return the peer's compiled library. Raises UnavailableError."""
    home = python_of(name).parent.parent
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for path in home.rglob(f"{PEERS[name].library}{suffix}"):
        return path
    raise UnavailableError(f"{PEERS[name].requirement} has no {PEERS[name].library}{suffix}")


def run(*command: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it did not say why"]
        raise UnavailableError(f"{' '.join(command[1:])} failed: {said[-1]}")
