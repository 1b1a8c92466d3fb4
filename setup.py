# SPDX-License-Identifier: Apache-2.0
"""Builds the C parts; everything else about the package is in pyproject.toml.

Environment:
    USDT_INCLUDE   a directory whose usdt.h replaces include/usdt.h
    PYUSDT_CFLAGS  flags added last, for compiling and for linking (-Werror, -fsanitize=...)
"""

import os
import platform
import shlex
import sys
import sysconfig
from glob import glob

if sys.version_info < (3, 12) or sys.implementation.name != "cpython":
    sys.exit(
        "pyusdt: needs CPython 3.12 or newer (sys.monitoring), this is "
        + platform.python_implementation()
        + " "
        + platform.python_version()
    )
if sys.platform != "linux":
    sys.exit("pyusdt: needs Linux (USDT probes are Linux uprobes), this is " + sys.platform)

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

HOOK = "pyusdt_hook.pth"
COMPAT = "pyusdt.libpyusdt_compat"
# A free-threaded build has no stable ABI to link against: it gets a binary of its own.
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


class BuildLibraries(build_ext):
    """Names the binaries so that every Python finds them.

    libpyusdt_compat.so has a plain suffix: it is a library, not an extension module. The extension
    has the suffix .abi3.so, which all versions know. From 3.15 on, the default has the platform in
    it.
    """

    def get_ext_filename(self, fullname: str) -> str:
        if fullname.rpartition(".")[2] == COMPAT.rpartition(".")[2]:
            return fullname.replace(".", os.sep) + ".so"
        name = str(super().get_ext_filename(fullname))
        if not FREE_THREADED and ".abi3" in name:
            name = name[: name.index(".abi3")] + ".abi3.so"
        return name


class BuildPackage(build_py):
    """Adds the start-up hook, which lies beside the package: site reads it there."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file(HOOK, os.path.join(self.build_lib, HOOK))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        hook = [] if self.editable_mode else [os.path.join(self.build_lib, HOOK)]
        return [*super().get_outputs(include_bytecode), *hook]


def library(name: str, sources: list[str], **options: object) -> Extension:
    extra = shlex.split(os.environ.get("PYUSDT_CFLAGS", ""))
    usdt_include = os.environ.get("USDT_INCLUDE")
    flags = ["-std=c11", "-D_GNU_SOURCE", "-pthread", "-O2", "-g", "-fvisibility=hidden"]
    # src/memory/native_hooks.c: our own calls go through slots, which are filled once and for all.
    flags += ["-fplt"]
    whole = ["-Wl,-z,now", "-Wl,-z,nodelete"]
    return Extension(
        name,
        sources=sorted(sources),
        depends=["setup.py", *glob("include/*.h"), *glob("src/**/*.h", recursive=True)],
        include_dirs=[*([usdt_include] if usdt_include else []), "include", "src"],
        extra_compile_args=[*flags, "-Wall", "-Wextra", *extra],
        extra_link_args=["-pthread", *whole, *extra],
        **options,
    )


def sources() -> list[str]:
    everything = glob("src/**/*.c", recursive=True)
    return [path for path in everything if "/compat/" not in path]


def libraries() -> list[Extension]:
    stable = {"py_limited_api": True, "define_macros": [("Py_LIMITED_API", "0x030C0000")]}
    found = [library("pyusdt.libpyusdt", sources(), **({} if FREE_THREADED else stable))]
    if compat := glob("src/probe/compat/*.c"):
        found.append(library(COMPAT, compat))
    return found


setup(
    ext_modules=libraries(),
    cmdclass={"build_ext": BuildLibraries, "build_py": BuildPackage},
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp312"}},
)
