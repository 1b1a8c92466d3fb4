# SPDX-License-Identifier: Apache-2.0
"""src/python/text.c compiled alone, as a small module (text_module.c) against the limited API."""

import importlib.util
import os
import shlex
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.text.objects import user_code_ran

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / ".cache" / "text_module.abi3.so"


def out_of_date() -> bool:
    used = [*(ROOT / "src").glob("**/*.[ch]"), *Path(__file__).parent.glob("*.c"), Path(__file__)]
    return not LIBRARY.exists() or LIBRARY.stat().st_mtime < max(f.stat().st_mtime for f in used)


def build() -> None:
    LIBRARY.parent.mkdir(exist_ok=True)
    fresh = LIBRARY.with_suffix(f".{os.getpid()}")
    sources = [*Path(__file__).parent.glob("*.c"), *(ROOT / "src/python").glob("text*.c")]
    subprocess.run(
        [
            *shlex.split(os.environ.get("CC") or "cc"),
            *("-std=c11", "-D_GNU_SOURCE", "-DPy_LIMITED_API=0x030C0000"),
            *("-Wall", "-Wextra", "-Werror", "-O2", "-g", "-shared", "-fPIC"),
            *(f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"),
            *(f"-I{sysconfig.get_path('include')}", "-o", str(fresh)),
            *map(str, sources),
        ],
        check=True,
    )
    fresh.replace(LIBRARY)


@pytest.fixture(scope="session")
def text() -> Any:
    """The module. Every Python loads the binary that the first one built: that must work too."""
    if out_of_date():
        build()
    spec = importlib.util.spec_from_file_location("text_module", LIBRARY)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _no_user_code() -> Iterator[None]:
    user_code_ran.clear()
    yield
    assert user_code_ran == []
