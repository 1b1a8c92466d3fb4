# SPDX-License-Identifier: Apache-2.0
"""What a sampler or the kernel has measured, with what is known about its certainty.

Wall times are exact, unless they are sums of what was sampled: CPU time and waits within them can
be no more. Where few looks have found more, the wall time is the limit.
"""

from typing import NamedTuple

from pyusdt.recording import Function
from pyusdt.recording.charges import WAITS, Charges
from pyusdt.report.certainty import figure, percentage
from pyusdt.report.text import duration, share


class Reading(NamedTuple):
    """`looks` are those that it rests on, None where it is exact; `limited`: it is at most that. An
    `ns` of None is not known."""

    ns: int | None
    looks: int | None
    limited: bool = False

    def __str__(self) -> str:
        """As people read it."""
        if self.ns is None or self.looks is None:
            return duration(self.ns)
        return f"<{duration(self.ns)}" if self.limited else figure(self.ns, self.looks)

    def of(self, whole: int) -> str:
        """What part of `whole` it is."""
        if self.ns is None or self.looks is None:
            return share(self.ns or 0, whole) if self.ns is not None else ""
        return (
            f"<{share(self.ns, whole)}" if self.limited else percentage(self.ns, whole, self.looks)
        )


def sampled(charges: Charges, measure: str, most: int | None = None) -> Reading:
    """One of MEASURES, of which there can be no more than `most`."""
    ns = charges.of(measure)
    if most is not None and ns > most:
        return Reading(most, charges.looks(measure), limited=True)
    return Reading(ns, charges.looks(measure))


def reading(function: Function, measure: str) -> Reading:
    """One of MEASURES of a function: the kernel's waits, where it has counted them, else the
    sampler's figure."""
    if measure in ("wait", *WAITS) and function.kernel_waits:
        waits = function.kernel_waits
        return Reading(sum(waits.values()) if measure == "wait" else waits.get(measure, 0), None)
    if function.charges is None:
        return Reading(None, None)
    return sampled(function.charges, measure, function.self_ns)


def waits_of(function: Function) -> dict[str, int]:
    """The waits of a function by class: the kernel's, where it has counted them."""
    return function.kernel_waits or function.waits
