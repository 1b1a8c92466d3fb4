# SPDX-License-Identifier: Apache-2.0
"""What a real tracer reads: bpftrace runs the program, and both tell."""

from __future__ import annotations

import os
import subprocess

import pytest
from elf.builds import Build, Compile
from elf.elfnotes import Image
from elf.expected import KINDS, MIXED_VALUES, TEXTS

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("bpftrace"), pytest.mark.apart]

GCC = Build("gcc", "c11", "-O2")
BUILDS = [GCC, Build("clang++", "c++17", "-O0")]


def trace(image: Image, script: str) -> list[str]:
    """The lines of `script` and of the program, which bpftrace starts when it is attached."""
    env = os.environ | {"BPFTRACE_STRLEN": "64"}
    cmd = ["bpftrace", "-e", script.replace("EXE", str(image.path)), "-c", str(image.path)]
    done = subprocess.run(cmd, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_values(compiled: Compile) -> None:
    """Of every kind, in gcc's C, whose bit-fields have types of their own."""
    script = """
        usdt:EXE:kinds:* { printf("%s %ld\\n", probe, arg0); }
        usdt:EXE:once:* { printf("%s %ld %ld\\n", probe, arg0, arg1); }
    """
    lines = trace(compiled(GCC, "kinds.c"), script)
    seen = dict(line.split(":", 2)[2].split(" ", 1) for line in lines if line.startswith("usdt:"))
    printed = next(line for line in lines if line.startswith("numbers")).split()
    words = dict(zip(printed[::2], printed[1::2], strict=True))

    for name, (_, value) in KINDS.items():
        wanted = int(words[value]) if isinstance(value, str) else value
        assert int(seen[f"kinds:{name}"]) % 2**64 == wanted % 2**64, name
    assert [seen[f"once:{n}"] for n in ("plain", "implicit", "explicit_")] == ["1 2", "3 4", "5 6"]


@pytest.mark.parametrize("build", BUILDS, ids=str)
def test_many_arguments_and_texts(build: Build, compiled: Compile) -> None:
    args = ", ".join(f"arg{n}" for n in range(6))
    script = f"""
        usdt:EXE:text:* {{ printf("%s=%s\\n", probe, str(arg0, 32)); }}
        usdt:EXE:arity:a12 {{ printf("values{" %lu" * 6}\\n", {args}); }}
    """
    lines = trace(compiled(build, "kinds.c"), script)
    texts = [line.split(":")[-1] for line in lines if line.startswith("usdt:")]
    assert texts == [f"{name}={text}" for name, text in TEXTS.items()]
    values = next(line for line in lines if line.startswith("values")).split()[1:]
    assert [int(v) for v in values] == [int(v) % 2**64 for v in MIXED_VALUES]


@pytest.mark.parametrize("build", BUILDS, ids=str)
def test_semaphores_are_up(build: Build, compiled: Compile) -> None:
    lines = trace(
        compiled(build, "semas.c", "other.c"),
        'usdt:EXE:sema:* { printf("%s %d\\n", probe, arg0); }',
    )
    assert "main: implicit 1 explicit 1 counter 1" in lines
    assert "other: implicit 1 explicit 1" in lines
    hits = sorted(line.split(":")[-1] for line in lines if line.startswith("usdt:"))
    assert hits == [
        *["explicit_ 1"] * 2,
        *["implicit 1"] * 2,
        *["in_header 1"] * 2,
        "unasked 1",
    ]


def test_only_the_traced_probe_is_active(compiled: Compile) -> None:
    image = compiled(GCC, "semas.c", "other.c")
    lines = trace(image, 'usdt:EXE:sema:explicit_ { printf("hit\\n"); }')
    assert "main: implicit 0 explicit 1 counter 1" in lines
    assert lines.count("hit") == 2
