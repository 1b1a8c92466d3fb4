# SPDX-License-Identifier: Apache-2.0
"""Settings: what the environment, pyusdt.configure() and the control struct make of them."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import pytest
from harness import DEADLINE, ROOT, environment

from pyusdt.remote import control_layout, control_requests

PROGRAMS = Path(__file__).parent / "programs"

STRUCTS = {
    "settings": control_layout.Settings,
    "count": control_layout.Count,
    "status": control_layout.RawStatus,
    "request": control_layout.Request,
    "record_options": control_layout.RecordOptions,
    "record": control_layout.Record,
    "record_timing": control_layout.RecordTiming,
    "record_lines": control_layout.RecordLines,
    "record_memory": control_layout.RecordMemory,
    "sampler": control_layout.RawSampler,
    "control": control_layout.Control,
}


def python(program: str | Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a file, or a text."""
    how = [program] if isinstance(program, Path) else ["-c", program]
    environ = {**environment(**variables), "PYUSDT_VERBOSE": variables.get("PYUSDT_VERBOSE", "0")}
    return subprocess.run(
        [sys.executable, *how, *words],
        capture_output=True, text=True, timeout=DEADLINE, env=environ, check=False,
    )  # fmt: skip


def after(code: str = "", **variables: str) -> control_layout.Status:
    """The status of a process after this code."""
    done = python(f"import json, pyusdt\n{code}\nprint(json.dumps(pyusdt.status()))", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    status: control_layout.Status = json.loads(done.stdout)
    return status


def test_the_layout_is_that_of_the_header(tool: Callable[[str], str], tmp_path: Path) -> None:
    rows = []
    for struct, layout in STRUCTS.items():
        rows.append(f'printf("{struct} %zu\\n", sizeof(struct pyusdt_{struct}));')
        for field in layout.offsets():
            member = f"struct pyusdt_{struct}, {field}"
            rows.append(f'printf("{struct}.{field} %zu\\n", offsetof({member}));')
    rows.append('printf("%s %d\\n", PYUSDT_CONTROL_MAGIC, PYUSDT_CONTROL_VERSION);')
    source = tmp_path / "layout.c"
    body = "\n".join(rows)
    source.write_text(
        f'#include <stdio.h>\n#include "pyusdt_control.h"\nint main(void) {{\n{body}\n}}\n'
    )
    program = tmp_path / "layout"
    subprocess.run([tool("cc"), f"-I{ROOT / 'include'}", source, "-o", program], check=True)
    said = subprocess.run([program], capture_output=True, check=True).stdout.decode()
    expected = []
    for struct, layout in STRUCTS.items():
        expected.append(f"{struct} {ctypes.sizeof(layout)}\n")
        expected += [f"{struct}.{name} {offset}\n" for name, offset in layout.offsets().items()]
    expected.append(f"{control_layout.MAGIC[:-1].decode()} {control_layout.VERSION}\n")
    assert said == "".join(expected)


def test_a_fresh_process() -> None:
    status = after()
    assert set(status) == set(get_type_hints(control_layout.Status))
    assert status["pid"] > 0
    assert status["python"] == ".".join(map(str, sys.version_info[:3]))
    assert (status["watcher"], status["dormant"], status["tool_id"]) == ("running", None, None)
    assert status["probes_watched"] == status["events_on"] == []
    assert (status["only"], status["exclude"], status["values"]) == ("", "", "safe")
    assert (status["slow_usec"], status["check_msec"], status["verbose"]) == (10_000, 10, False)
    assert status["large_bytes"] == 2**20
    assert status["probes_fired"] == {}
    assert set(status["losses"].values()) == {0}


def test_the_environment_sets_what_it_names() -> None:
    status = after(
        PYUSDT_ONLY="myapp, other:f*",
        PYUSDT_EXCLUDE="*:__repr__",
        PYUSDT_VALUES="repr",
        PYUSDT_SLOW_USEC="off",
        PYUSDT_CHECK_MSEC="1000",
        PYUSDT_LARGE_BYTES="64KiB",
    )
    assert (status["only"], status["exclude"]) == ("myapp, other:f*", "*:__repr__")
    assert (status["values"], status["slow_usec"]) == ("repr", None)
    assert (status["check_msec"], status["large_bytes"]) == (1000, 65536)


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("12B", 12), ("3MB", 3_000_000), ("4294967295", 2**32 - 1)]
)
def test_the_size_of_what_is_large(text: str, size: int) -> None:
    assert after(PYUSDT_LARGE_BYTES=text)["large_bytes"] == size


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("CHECK_MSEC", "0", "check_msec is not a number from 1 to 10000"),
        ("CHECK_MSEC", "10001", "check_msec is not a number from 1 to 10000"),
        ("CHECK_MSEC", "1s", "check_msec is not a number from 1 to 10000"),
        ("CHECK_MSEC", "99999999999999999999", "check_msec is not a number from 1 to 10000"),
        ("SLOW_USEC", "-1", "slow_usec is neither off nor a number of microseconds up to 1000"),
        ("SLOW_USEC", "10ms", "slow_usec is neither off nor a number of microseconds up to 1000"),
        ("LARGE_BYTES", "0", "large_bytes is not a number of bytes from 1 to 4294967295"),
        ("LARGE_BYTES", "1mb", "large_bytes is not a number of bytes from 1 to 4294967295"),
        ("LARGE_BYTES", "4GiB", "large_bytes is not a number of bytes from 1 to 4294967295"),
        ("VALUES", "yes", "values is none of safe, repr, off"),
        ("VERBOSE", "2", "verbose is neither 0 nor 1"),
        ("ONLY", "a,,b", "only has an empty pattern"),
        ("ONLY", "my app", "only has a space or control character in 'my app': put a comma"),
        ("EXCLUDE", "a:b:c", "exclude has more than one colon in 'a:b:c': a pattern is module"),
        ("EXCLUDE", "x" * 1024, "exclude is longer than 1023 bytes"),
    ],
    ids=lambda text: text[:12],
)
def test_a_bad_value_is_one_line_and_the_default_stays(name: str, value: str, why: str) -> None:
    done = python("import pyusdt; print(pyusdt.status())", **{f"PYUSDT_{name}": value})
    assert done.returncode == 0
    assert done.stderr.startswith(f"pyusdt: PYUSDT_{name}={value[:100]}: {why}")
    assert done.stderr.endswith(": using the default\n")
    assert done.stderr.count("\n") == 1
    default = {"CHECK_MSEC": 100} if name == "CHECK_MSEC" else {"CHECK_MSEC": 10}
    status = eval(done.stdout)
    assert status["check_msec"] == default["CHECK_MSEC"]
    assert (status["only"], status["exclude"], status["slow_usec"]) == ("", "", 10_000)


def test_the_longest_pattern_is_taken() -> None:
    assert after(PYUSDT_ONLY="x" * 1023)["only"] == "x" * 1023


def test_configure_changes_what_is_given() -> None:
    status = after("pyusdt.configure(only='a', exclude='größe:?', values='off', slow='1.5s')")
    assert (status["only"], status["exclude"]) == ("a", "größe:?")
    assert (status["values"], status["slow_usec"]) == ("off", 1_500_000)
    status = after("pyusdt.configure(only='a', slow=0.25); pyusdt.configure(exclude='b')")
    assert (status["only"], status["exclude"], status["slow_usec"]) == ("a", "b", 250_000)
    status = after("pyusdt.configure(only='a', slow='off'); pyusdt.configure(only='')")
    assert (status["only"], status["slow_usec"]) == ("", None)
    assert (
        after("pyusdt.configure(large='2MiB'); pyusdt.configure(only='')")["large_bytes"] == 2**21
    )
    assert after("pyusdt.configure()")["values"] == "safe"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("only='a b'", "ValueError: only has a space or control character in 'a b': put a comma"),
        ("only=',', values='off'", "ValueError: only has an empty pattern"),
        ("only='" + "ö" * 512 + "'", "ValueError: only is longer than 1023 bytes: it has 1024"),
        ("only='ö' * 40 + ' '+'ö' * 40, slow=1", "ValueError: only has a space or control"),
        ("exclude='a\\0b'", "ValueError: exclude has a NUL character: 'a\\x00b'"),
        ("exclude='\\udc80'", "ValueError: exclude has a character that UTF-8 has not"),
        ("exclude=3", "TypeError: exclude is a str of patterns with commas between, not 3"),
        ("values='all'", "ValueError: values is one of safe, repr, off, not 'all'"),
        ("slow='10'", "ValueError: slow is a time like 10ms, 500us, 1.5s, or off, not '10'"),
        ("slow=-1", "ValueError: slow is a time from 0 on, not -1"),
        ("slow=1e300", "ValueError: slow is a time from 0 on, not 1e+300"),
        ("slow=1e7", "ValueError: slow_usec is neither off nor a number of microseconds up to"),
        ("large='big'", "ValueError: large is a size like 64KiB, 1MB or 4096, not 'big'"),
        ("large=2**32", "ValueError: large_bytes is not a number of bytes from 1 to 4294967295"),
        ("large=True", "TypeError: large is a number of bytes or a text like 64KiB, not True"),
        ("slow=True", "TypeError: slow is a number of seconds or a text like 10ms, not True"),
    ],
    ids=lambda text: text[:20],
)
def test_configure_refuses_and_changes_nothing(arguments: str, error: str) -> None:
    done = python(PROGRAMS / "configure.py", arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(error)


@pytest.mark.parametrize(
    ("text", "usec"),
    [("10ms", 10_000), ("500us", 500), ("500µs", 500), ("1.5s", 1_500_000), ("0s", 0), (2, 2e6)],
)
def test_times(text: str | int, usec: float) -> None:
    assert control_requests.slow_usec(text) == usec


def test_the_core_takes_no_request_of_another_size_or_version() -> None:
    done = python(PROGRAMS / "requests.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *["a request has 2088 bytes"] * 3,
        *["the request is not one of version 7"] * 2,
    ]
