# SPDX-License-Identifier: Apache-2.0
"""Lines that take milliseconds, for two clocks to agree on."""

import time


def spin(milliseconds: int) -> None:
    end = time.perf_counter_ns() + milliseconds * 1_000_000
    while time.perf_counter_ns() < end:
        pass


def lines() -> None:
    for _ in range(5):
        time.sleep(0.003)
        time.sleep(0.012)
        spin(2)
        spin(9)


def deeper() -> None:
    lines()
    time.sleep(0.02)


def main() -> None:
    deeper()
    spin(30)
