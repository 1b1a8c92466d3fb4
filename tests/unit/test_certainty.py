# SPDX-License-Identifier: Apache-2.0
"""Sampled figures: marked as such, and with no more digits than are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import MS

from pyusdt.recording.charges import Charges
from pyusdt.report.certainty import figure, percentage
from pyusdt.report.readings import Reading, sampled

pytestmark = pytest.mark.apart


@pytest.mark.parametrize(
    ("ns", "samples", "text"),
    [
        (0, 0, "-"),
        (61 * MS, 0, "-"),
        (61 * MS, 1, "~60 ms"),
        (61.4 * MS, 99, "~60 ms"),
        (61.4 * MS, 100, "~61 ms"),
        (6.14 * MS, 100, "~6.1 ms"),
        (61.44 * MS, 10_000, "~61.4 ms"),
        (961 * MS, 9, "~1 s"),
        (1234 * MS, 5000, "~1.2 s"),
        (1234 * MS, 50_000, "~1.23 s"),
        (999_999, 999, "~1.0 ms"),
        (0, 3, "~0 ns"),
        (4_321_000 * MS, 200, "~4,300 s"),
        (437, 5, "~400 ns"),
    ],
)
def test_figures(ns, samples, text):
    assert figure(ns, samples) == text


@pytest.mark.parametrize(
    ("part", "whole", "samples", "text"),
    [
        (1, 0, 5, ""),
        (0, 9, 0, "-"),
        (1, 3, 20, "~30%"),
        (1, 3, 200, "~33%"),
        (1, 3, 20_000, "~33.3%"),
        (3, 3, 20, "~100%"),
        (1, 300, 20, "~0.3%"),
        (0, 3, 4, "~0%"),
    ],
)
def test_percentages(part, whole, samples, text):
    assert percentage(part, whole, samples) == text


def test_readings():
    assert str(Reading(61_400_000, None)) == "61.4 ms"
    assert str(Reading(61_400_000, 7)) == "~60 ms"
    assert str(Reading(None, None)) == ""
    assert Reading(50, None).of(200) == "25.0%"
    assert Reading(50, 7).of(200) == "~20%"
    assert Reading(None, None).of(200) == ""


def test_what_is_within_a_measured_time_is_no_more_than_that():
    charges = Charges([("user", 0, 2, 8 * MS), ("lock", 0, 1, 1 * MS)])
    limited = sampled(charges, "cpu", 1_500_000)
    assert (limited.ns, str(limited), limited.of(10 * MS)) == (1_500_000, "<1.50 ms", "<15.0%")
    assert str(sampled(charges, "cpu", 8 * MS)) == "~8 ms"


@given(st.integers(1, 10**15), st.integers(1, 10**7))
def test_no_more_digits_than_are_known(ns, samples):
    known = 1 if samples < 100 else 2 if samples < 10_000 else 3
    number = figure(ns, samples).lstrip("~").split()[0].replace(",", "")
    assert len(number.replace(".", "").strip("0")) <= known
