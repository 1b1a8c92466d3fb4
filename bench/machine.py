# SPDX-License-Identifier: Apache-2.0
"""The machine and the versions with which the figures were measured."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.peers import versions


def describe() -> dict[str, str]:
    """Return the machine, its kernel and the versions of the programs, by label."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{processor()}, {os.cpu_count()} cores, {platform.machine()}",
        "virtual machine": virtual_machine(),
        "load when begun": f"{os.getloadavg()[0]:.2f}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}{sys.abiflags}",
        "tracer": first_line("bpftrace", "--version"),
        "compiler": first_line(os.environ.get("CC") or "cc", "--version"),
    }


def peers() -> dict[str, str]:
    """Return the versions of the installed peers."""
    return {"peers": versions()}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def virtual_machine() -> str:
    flags = Path("/proc/cpuinfo").read_text().split()
    return "yes" if "hypervisor" in flags else "not known to be one"


def first_line(*command: str) -> str:
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return f"no {command[0]}"
    return output.splitlines()[0]
