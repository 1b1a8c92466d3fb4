# SPDX-License-Identifier: Apache-2.0
"""The hooks of native memory, in a C program: native/program.c has the tests.

The thread sanitizer is not among the modes. The C library frees memory of a thread that has ended,
by our hooks, when that sanitizer knows the thread no longer.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from c_programs import FLAGS, MODES, ROOT, Tool, makes_programs, run
from conftest import missing

pytestmark = [pytest.mark.once, pytest.mark.apart]

SOURCES = Path(__file__).parent / "native"
UNDER_TEST = [
    *(
        ROOT / f"src/base/{name}.c"
        for name in ("clock", "got", "image", "maps", "osthread", "pages")
    ),
    *(ROOT / "src/memory").glob("*.c"),
    ROOT / "src/probe/probes.c",
]


@pytest.fixture(scope="module")
def libraries(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("libraries")
    # The program has what constructors of libraries put their functions in.
    shared = [*FLAGS, "-g0", "-O1", "-fPIC", "-shared", "-Wl,--unresolved-symbols=ignore-all"]
    for name in ("next", "later", "pointers", "allocator"):
        source = SOURCES / f"{'user' if name == 'later' else name}.c"
        run([tool("gcc"), *shared, str(source), "-o", f"{to}/lib{name}.so"])
    user = [f"{SOURCES}/user.c", "-Wl,--no-as-needed", f"{to}/libnext.so"]
    run([tool("gcc"), *shared, *user, "-o", f"{to}/libuser.so"])
    run([tool("g++"), "-fPIC", "-shared", f"{SOURCES}/cpp.cpp", "-o", f"{to}/libcpp.so"])
    return to


@pytest.mark.parametrize(
    ("mode", "share", "preloaded"),
    [("plain", "30", ""), ("plain", "5", "allocator"), ("memory", "5", "")],
)
def test_native_memory(
    mode: str, share: str, preloaded: str, libraries: Path, tool: Tool, tmp_path: Path
) -> None:
    if not makes_programs(tool("gcc"), mode):
        missing(f"gcc has no sanitizer of {mode}")
    build = [tool("gcc"), *FLAGS, *MODES[mode]]
    shared = ["-fPIC", "-fplt", "-shared", "-Wl,-z,now", f"{SOURCES}/thread.c"]
    run([*build, *shared, *map(str, UNDER_TEST), "-lm", "-o", f"{tmp_path}/libours.so"])
    main = ["-rdynamic", f"{SOURCES}/program.c", f"{tmp_path}/libours.so"]
    run([*build, *main, "-o", f"{tmp_path}/program"])
    environment = ["env", "ASAN_OPTIONS=allocator_may_return_null=1"]
    if preloaded:
        environment.append(f"LD_PRELOAD={libraries}/lib{preloaded}.so")
    run([*environment, f"{tmp_path}/program", str(libraries)], share)
