# SPDX-License-Identifier: Apache-2.0
"""The cells of what changed between recordings."""

from collections.abc import Callable, Sequence

from rich.text import Text

from pyusdt.compare import Change
from pyusdt.report.certainty import NOT_SEEN, figure, percentage
from pyusdt.report.text import COUNTS, SIZES, TIMES, duration, number, size

WAITS = Text("waits", "dim")
"""In the place of a verdict: what waits is not judged."""
_UNITS: dict[Callable[[float], str], Sequence[tuple[int, str]]] = {duration: TIMES, size: SIZES}
_VERDICTS = {1: Text("more", "red"), -1: Text("less", "green"), 0: Text("same", "dim")}


def cells(change: Change, text: Callable[[float], str] = duration) -> tuple[Text | str, ...]:
    """The delta, both sides, the growth, and the noise."""
    noise = "" if change.noise is None else f"± {text(change.noise)}"
    looks = change.looks or (None, None)
    before = _text(change.mean_before, text, looks[0]) if change.before else ""
    after = _text(change.mean_after, text, looks[1]) if change.after else ""
    return signed(change, text), before, after, growth(change), noise


def signed(change: Change, text: Callable[[float], str] = duration) -> Text:
    """The delta; one that looks cannot show has no sign."""
    size = _text(abs(change.delta), text, change.delta_looks)
    sign = "+" if change.delta > 0 else "-" if change.delta < 0 else " "
    if size == NOT_SEEN:
        return Text(size, "dim")
    style = "dim" if change.verdict == 0 else {"+": "red", "-": "green"}.get(sign, "")
    return Text(f"{sign}{size}", style)


def growth(change: Change) -> str:
    """What part of what was the delta is."""
    if change.ratio is None:
        return ""
    if change.delta_looks is None:
        return f"{100 * change.ratio:+.1f}%"
    size = percentage(abs(change.delta), change.mean_before, change.delta_looks)
    return size if size == NOT_SEEN else f"{'-' if change.delta < 0 else '+'}{size}"


def counts(change: Change) -> str:
    """Both sides of a count, or one where they are the same."""
    after = number(int(change.mean_after))
    return f"{number(int(change.mean_before))} → {after}" if change.delta else after


def verdict_of(change: Change) -> Text:
    """More, less or the same; nothing where that is not known."""
    return _VERDICTS.get(change.verdict, Text("")) if change.verdict is not None else Text("")


def _text(value: float, text: Callable[[float], str], looks: int | None) -> str:
    return text(value) if looks is None else figure(value, looks, _UNITS.get(text, COUNTS))
