# SPDX-License-Identifier: Apache-2.0
"""What the recorder had to leave out, in words: how many, what that means, and what to do."""

from collections.abc import Iterator, Mapping

from pyusdt.report.text import printable

_FOLDED = "calls folded into their recursion"
_ADVICE = {
    "calls beyond max_nodes": 'functions are exact, the call tree has "(others)":'
    " raise --max-nodes, or choose functions with --only",
    _FOLDED: "functions are exact, the call tree shows a recursion as one context from its"
    " 9th round on, or its 2nd where memory is short: raise --max-nodes",
    "calls too deep": "their time is in what called them",
    "calls without a histogram": "percentiles leave them out: choose functions with --only",
    "lines beyond memory": "functions are exact, these hits and their times are of no line:"
    " choose fewer functions with --lines",
    "blocks beyond memory": "there were too many at once, and these are counted nowhere:"
    " --memory=sampled has room for all",
    "coroutines without a latency": "too many were suspended at once",
    "exits that Python did not report": "these calls end with what called them",
    "exits without an entry": "they began before the recording, or in another greenlet",
    "threads merged with an ended one": "too many threads: use fewer, or record a shorter time",
    "events of unknown code": "there was no memory for it: choose functions with --only",
    "ages of blocks beyond memory": "what lives is known, and of these blocks not since when",
    "times that another tool has put out the hooks of memory": "what was allocated or freed until"
    " they were put back is not known",
    "steps and marks beyond 500,000": "step less often, or record a shorter time",
}


def lines(losses: Mapping[str, int]) -> Iterator[str]:
    """A line for each loss; one for what is no loss of calls is a note."""
    for name, count in losses.items():
        kind = "note" if name == _FOLDED else "lost"
        what = printable(name, 60) or "(nameless)"
        advice = f" ({_ADVICE[name]})" if name in _ADVICE else ""
        yield f"{kind}: {count:,} {what}{advice}"
