# SPDX-License-Identifier: Apache-2.0
"""Replaces functions in small libraries, each of which was linked in another way.

got/program.c has the tests. The library that replaces (got/ours.c) is apart from the program, as
ours is, since its own calls are never replaced.
"""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from c_programs import FLAGS, MODES, ROOT, Tool, makes_programs, run
from conftest import missing

pytestmark = [pytest.mark.once, pytest.mark.apart]

SOURCES = Path(__file__).parent / "got"
UNDER_TEST = [
    str(ROOT / f"src/base/{name}.c") for name in ("got", "image", "maps", "osthread", "pages")
]
# Libraries made of library.c: how they are linked.
LAZY, NOW = ["-Wl,-z,lazy"], ["-Wl,-z,now,-z,relro"]
LIBRARIES = {
    "lazy": LAZY,
    "more": LAZY,
    "stays": LAZY,
    "now": NOW,
    "without_plt": [*NOW, "-fno-plt"],
    "defines": ["-DOWN", *LAZY],
    "own": ["-DOWN", "-Wl,-Bsymbolic"],
    "slow": ["-DSLOW", "-Wl,--unresolved-symbols=ignore-all"],
    "deep": LAZY,
}
FIXED = ["-no-pie", "-fno-pie"]


@pytest.fixture(scope="module")
def libraries(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("libraries")
    shared = [tool("gcc"), *FLAGS, "-O1", "-g0", "-fPIC", "-shared"]
    for name, value in (("provider", 1), ("rival", 100)):
        run([*shared, f"-DVALUE={value}", f"{SOURCES}/provider.c", "-o", f"{to}/lib{name}.so"])
    for name, flags in LIBRARIES.items():
        provider = f"{to}/lib{'rival' if name == 'deep' else 'provider'}.so"
        source = [f"-DNAME={name}", f"{SOURCES}/library.c", "-Wl,--no-as-needed", provider]
        run([*shared, *flags, *source, "-o", f"{to}/lib{name}.so"])
    return to


@pytest.mark.parametrize(
    ("compiler", "mode", "program"),
    [
        ("gcc", "plain", FIXED),
        ("gcc", "memory", []),
        ("clang", "threads", []),
    ],
)
def test_replacements(
    compiler: str,
    mode: str,
    library: list[str],
    program: list[str],
    libraries: Path,
    tool: Tool,
    tmp_path: Path,
) -> None:
    if not makes_programs(tool(compiler), mode):
        missing(f"{compiler} has no sanitizer of {mode}: see tools/need-clang")
    build = [tool(compiler), *FLAGS, *MODES[mode]]
    needs = ["-Wl,--no-as-needed", f"{libraries}/libprovider.so"]
    ours = ["-fPIC", "-shared", "-Wl,-z,now", f"{SOURCES}/ours.c", *UNDER_TEST]
    run([*build, *ours, *needs, "-o", f"{tmp_path}/libours.so"])
    main = [*program, "-rdynamic", f"{SOURCES}/program.c", *needs, f"{tmp_path}/libours.so"]
    run([*build, *main, "-o", f"{tmp_path}/program"])
    fixed = [tool("setarch"), platform.machine(), "-R"] if mode == "threads" else []
    run([*fixed, f"{tmp_path}/program", str(libraries)], "100" if mode == "plain" else "20")
