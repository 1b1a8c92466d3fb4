# SPDX-License-Identifier: Apache-2.0
"""An environment for each package, below .cache: made once, by pip, with this checkout's pyusdt."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness import ROOT

from .packages import Package

CACHE = ROOT / ".cache" / "packages"
PIP = ("-m", "pip", "--disable-pip-version-check")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the directory that a package's tests are run in."""

    package: Package
    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    @cached_property
    def site_packages(self) -> Path:
        (found,) = self.directory.glob("lib/python*/site-packages")
        return found

    @property
    def tests_in(self) -> Path:
        return self.directory / "source" if self.package.sdist else self.site_packages

    @property
    def variables(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in self.package.variables.split())

    def argv(self, report: Path) -> list[str]:
        """Words after `python` that run the tests, in the order of the files."""
        options = ["-q", "-o", f"cache_dir={report}.cache", f"--junit-xml={report}"]
        return ["-m", "pytest", *options, *shlex.split(self.package.tests)]


def of(package: Package) -> Environment:
    """The package's environment under this Python; made where it is not there yet."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    directory = CACHE / f"{package.name}-{package.version}-{python}{sys.abiflags}"
    stamp, wanted = directory / "ready", repr(package)
    environment = Environment(package, directory)
    if not stamp.exists() or stamp.read_text() != wanted:
        make(environment)
        stamp.write_text(wanted)
    return environment


def make(environment: Environment) -> None:
    package = environment.package
    shutil.rmtree(environment.directory, ignore_errors=True)
    run(sys.executable, "-m", "venv", environment.directory)
    # A link, for nothing else of the checkout is to be found; and the hook, as a wheel has it.
    (environment.site_packages / "pyusdt").symlink_to(ROOT / "pyusdt")
    (environment.site_packages / "pyusdt_pytest.py").symlink_to(ROOT / "pyusdt_pytest.py")
    shutil.copy(ROOT / "pyusdt_hook.pth", environment.site_packages)
    wanted = f"{package.name}=={package.version}", f"pytest=={package.pytest}"
    run(environment.python, *PIP, "install", "-q", *wanted, *package.needs.split())
    # Where a package has no settings of pytest, it must not find this checkout's.
    (environment.directory / "pytest.ini").write_text("[pytest]\n")
    if package.sdist:
        unpack(sdist(environment), environment.tests_in)
        leave_out_sources(environment)


def sdist(environment: Environment) -> Path:
    package = environment.package
    sdists = CACHE / "sdists" / f"{package.name}-{package.version}"
    if not list(sdists.glob("*.tar.gz")):
        wanted = f"{package.name}=={package.version}"
        options = "download", "-q", "--no-deps", "--no-binary", package.name
        run(environment.python, *PIP, *options, "-d", sdists, wanted)
    (found,) = sdists.glob("*.tar.gz")
    return found


def unpack(archive: Path, target: Path) -> None:
    """Without the directory at its top."""
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    (top,) = target.iterdir()
    for path in top.iterdir():
        path.rename(target / path.name)
    top.rmdir()


def leave_out_sources(environment: Environment) -> None:
    """A package at the top would be imported instead of the one that has its C extensions."""
    for beside in environment.tests_in.glob("*/__init__.py"):
        if (environment.site_packages / beside.parent.name).is_dir():
            shutil.rmtree(beside.parent)


def run(*argv: str | Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
