# SPDX-License-Identifier: Apache-2.0
"""The Makefile and the tools beneath: what is found, what is said, what is cleaned."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.apart]

PROGRAMS = "awk bash cat cmp cut dirname env head make mkdir paste pwd rm sh sort timeout touch"
# Runs the real interpreter, which then takes itself for an older one; its arguments are -I -c CODE.
OLD_PYTHON = """#!/bin/sh
exec {python} -I -c "import sys; sys.version_info = (3, 11, 9, 'final', 0); $3"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory with the programs that the tools use, and without a Python."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in PROGRAMS.split():
        found = shutil.which(name)
        assert found, f"{name} is not installed"
        (directory / name).symlink_to(found)
    return directory


def run(checkout: Path, path: Path | None, *command: str) -> subprocess.CompletedProcess[str]:
    # What the outer make exports would steer the inner one.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    if path is not None:
        env |= {"PATH": str(path), "PYENV_ROOT": str(path / "no-pyenv")}
    return subprocess.run(
        command, cwd=checkout, env=env, text=True, capture_output=True, check=False
    )


def add_program(directory: Path, name: str, text: str) -> None:
    (directory / name).write_text(text)
    (directory / name).chmod(0o755)


def test_help_lists_every_target(checkout: Path) -> None:
    (phony,) = (
        line.partition(":")[2].split()
        for line in (checkout / "Makefile").read_text().replace("\\\n", "").splitlines()
        if line.startswith(".PHONY:")
    )
    done = run(checkout, None, "make", "help")
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(set(phony) - {"FORCE"})
    assert all(len(line) < 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", [("make",), ("make", "test"), ("tools/find-python", "--all")])
def test_without_a_new_python_says_so(checkout: Path, path: Path, command: tuple[str]) -> None:
    add_program(path, "python3", OLD_PYTHON.format(python=sys.executable))
    done = run(checkout, path, *command)
    assert done.returncode in (1, 2)  # make's own code for a failed target is 2
    ours = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(ours) == 1
    assert ours[0].startswith(f"pyusdt: needs CPython 3.12 or newer, found 3.11.9{sys.abiflags} (")
    assert "install" in ours[0]


def test_without_any_python_says_so(checkout: Path, path: Path) -> None:
    done = run(checkout, path, "tools/find-python")
    assert done.returncode == 1
    assert done.stderr.startswith("pyusdt: needs CPython 3.12 or newer, found no Python at all;")


@pytest.mark.parametrize(
    ("packages", "remedy"),
    [
        ("python3.11 - old\\npython3.14 - new\\npython3.13 - new\\n",
         "(apt-get install python3.13 python3.13-dev python3.13-venv)"),
        ("", "(by uv python install 3.12 or pyenv install 3.12, since no package list here has"),
    ],
)  # fmt: skip
def test_what_is_to_be_installed_is_there(
    checkout: Path, path: Path, packages: str, remedy: str
) -> None:
    pattern = 'grep -E "^python3[.](1[2-9]|[2-9][0-9]) "'
    add_program(path, "apt-cache", f"#!/bin/sh\nprintf '{packages}' | {pattern} | cat\n")
    (path / "grep").symlink_to(shutil.which("grep") or "grep")
    done = run(checkout, path, "tools/find-python")
    assert f"install it {remedy}" in done.stderr
    assert "or run make PYTHON=" in done.stderr


def test_python_given_by_hand_is_checked(checkout: Path, path: Path) -> None:
    add_program(path, "elder", OLD_PYTHON.format(python=sys.executable))
    done = run(checkout, path, "make", "PYTHON=elder")
    found = f"3.11.9{sys.abiflags}"
    assert done.stderr.startswith(f"pyusdt: needs CPython 3.12 or newer, found {found} (")


def test_finds_each_python_once_and_passes_over_broken_shims(checkout: Path, path: Path) -> None:
    add_program(path, "python", "#!/bin/sh\necho 'no version is set' >&2\nexit 126\n")
    add_program(path, "python3.11", OLD_PYTHON.format(python=sys.executable))
    add_program(path, "python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    add_program(path, "python3.12", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    done = run(checkout, path, "tools/find-python", "--all")
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    assert (done.returncode, done.stdout, done.stderr) == (0, base + "\n", "")


def test_clean_leaves_what_git_knows_and_what_is_yours(checkout: Path, tracked: list[str]) -> None:
    made = [
        ".venv/bin/python",
        ".cache/test/3.12.1",
        "build/lib/x.so",
        "dist/pyusdt.whl",
        "pyusdt.egg-info/PKG-INFO",
        "libpyusdt.so",
        "pyusdt/libpyusdt.abi3.so",
        "pyusdt/libpyusdt_compat.so",
        "pyusdt/__pycache__/main.pyc",
        "tests/packaging/__pycache__/test_make.pyc",
    ]
    yours = ["notes.txt", "out.pyusdt", "pyusdt/mine.py", "src/mine.o", "mine.so"]
    for name in made + yours:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("")
    assert run(checkout, None, "make", "clean").returncode == 0
    left = {
        str(file.relative_to(checkout))
        for file in checkout.rglob("*")
        if file.is_symlink() or not file.is_dir()
    }
    assert left == {*tracked, *yours}
