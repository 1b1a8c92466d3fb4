# SPDX-License-Identifier: Apache-2.0
"""Packages of PyPI whose own tests are run: versions, where the tests lie, which of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """A pinned package. Each run of its tests takes less than a minute.

    Its tests are in its sdist, or are installed with it: then `tests` begins with a package's name.
    """

    name: str
    version: str
    tests: str
    """pytest's arguments, relative to the sdist's top or to site-packages."""
    needs: str = ""
    """What its tests need besides pytest."""
    variables: str = ""
    """Of the environment: "NAME=VALUE NAME=VALUE"."""
    sdist: bool = True
    quick: bool = False
    """Whether every `.ci/run` takes it."""
    exact: bool = False
    """Whether its calls are compared with cProfile's."""
    pytest: str = "8.4.2"


PACKAGES = {
    package.name: package
    for package in (
        # Text and generated code.
        Package("jinja2", "3.1.6", "tests", needs="trio==0.33.0", quick=True, exact=True),
        # A C extension, and the same in Python.
        Package("markupsafe", "3.0.4", "tests", quick=True),
        # Streams, a terminal's size, exit codes.
        Package("click", "8.5.1", "tests", quick=True),
        # Stacks that are switched in C.
        # The other files compare the process's memory, or abort processes, for minutes. And where
        # calls of C are traced, a new sys.setprofile() also gets the return of its own call.
        Package(
            "greenlet",
            "3.5.6",
            "greenlet/tests/test_contextvars.py greenlet/tests/test_generator.py"
            " greenlet/tests/test_generator_nested.py greenlet/tests/test_greenlet.py"
            " greenlet/tests/test_throw.py greenlet/tests/test_weakref.py -k 'not many_threads'",
            needs="psutil objgraph",
            variables="GREENLET_SKIP_LEAKCHECKS=1",
            sdist=False,
        ),
        # Iterators and generators above all.
        Package("more-itertools", "11.2.1", "tests/test_recipes.py"),
        Package("toolz", "1.2.0", "toolz", sdist=False),
        # Methods whose source is made as text.
        Package(
            "attrs",
            "26.1.0",
            "tests/test_dunders.py tests/test_functional.py tests/test_slots.py"
            " tests/test_setattr.py tests/test_init_subclass.py tests/test_next_gen.py",
            needs="cloudpickle hypothesis",
        ),
        # Hooks that are wrapped in generators.
        Package("pluggy", "1.7.0", "testing"),
        # Frames that are retried, in threads and coroutines.
        Package("tenacity", "9.2.1", "tests", needs="tornado typeguard"),
        # A queue between threads and an event loop.
        Package("janus", "2.0.0", "tests", needs="pytest-asyncio pytest-cov pytest-codspeed"),
        # Processes that are spawned, and die.
        Package(
            "loky",
            "3.7.0",
            "tests/test_cloudpickle_wrapper.py tests/test_synchronize.py",
            needs="psutil cloudpickle",
        ),
        # C extensions, and proxies of everything.
        Package("msgpack", "1.2.4", "test"),
        Package("wrapt", "2.5.2", "tests"),
        # Parsers: one reads grammars, the other tokens.
        Package("lark", "1.3.1", "tests"),
        Package("sqlparse", "0.6.1", "tests"),
        # Deep recursion and caches.
        Package(
            "sympy",
            "1.14.0",
            "sympy/core/tests/test_basic.py sympy/core/tests/test_expr.py"
            " sympy/core/tests/test_function.py sympy/simplify/tests/test_trigsimp.py"
            " sympy/polys/tests/test_factortools.py",
            needs="hypothesis",
            sdist=False,
            exact=True,
        ),
        # Models whose parts are made while classes are.
        Package(
            "pydantic",
            "2.14.4",
            "tests/test_dataclasses.py tests/test_main.py tests/test_validators.py",
            needs="dirty-equals pytest-mock pytest-benchmark pytest-examples jsonschema",
            exact=True,
        ),
        # A pytest in pytest: rewritten asserts, streams that are taken.
        Package(
            "pytest",
            "8.4.2",
            "testing/test_mark.py",
            needs="attrs argcomplete hypothesis mock requests setuptools xmlschema",
            exact=True,
        ),
    )
}
