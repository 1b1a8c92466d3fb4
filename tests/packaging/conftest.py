# SPDX-License-Identifier: Apache-2.0
"""A copy of the checkout to build in, so that a test leaves nothing behind in the real one."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


# What .gitignore names; by hand, because a test may run where there is no git.
MADE_DIRECTORIES = {".git", ".cache", ".hypothesis", "build", "dist", "__pycache__"}
MADE_SUFFIXES = {".so", ".pyc", ".o"}


def is_made(path: Path) -> bool:
    return (
        path.name in MADE_DIRECTORIES
        or path.name.startswith(".venv")
        or path.name.endswith(("_cache", ".egg-info"))
        or path.suffix in MADE_SUFFIXES
    )


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """The files of the checkout, less what was made there."""
    found = []
    for directory, directories, files in ROOT.walk():
        directories[:] = [name for name in directories if not is_made(directory / name)]
        found += [directory / name for name in files if not is_made(directory / name)]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def copy_to(target: Path, tracked: list[str]) -> Path:
    for name in tracked:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target


@pytest.fixture
def checkout(tmp_path: Path, tracked: list[str]) -> Path:
    return copy_to(tmp_path / "checkout", tracked)


@pytest.fixture(scope="session")
def shared_checkout(tmp_path_factory: pytest.TempPathFactory, tracked: list[str]) -> Path:
    return copy_to(tmp_path_factory.mktemp("shared") / "checkout", tracked)
