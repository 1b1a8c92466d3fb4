# SPDX-License-Identifier: Apache-2.0
"""Which functions of a recording wait: by what a sampler has charged to them, or else as far as
that can be known without their CPU time.

The own time of a function has that of the C functions which it calls, unless these are recorded
too. A function waits where it calls one that blocks: its source shows that, and so do the names of
the standard library's. Such time is no work: it grows when a program idles longer.
"""

import io
import tokenize
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from pyusdt.recording import Function, Recording
from pyusdt.recording.charges import WAITS
from pyusdt.recording.tree import paths
from pyusdt.report.html.source import Sources

_LEAST_SHARE = 0.001  # of all own time: what has less is not looked at
_MOST_OF_IT = 0.9  # of what was charged: what waits so long does nothing else
_FEWEST_LOOKS = 10  # by which a function is judged

# Who waits for these has work to do, or has been woken on a busy machine.
_WANTING = ("gil", "runnable")

# C functions that block, by the names with which they are called. What a name stands for is not
# known from the source: where the function called is recorded, its time is no part of its caller's.
_BLOCKING = frozenset(
    "sleep select poll acquire wait accept _accept recv recv_into recvfrom recvfrom_into recvmsg"
    " waitpid wait3 wait4 waitid sigwait sigwaitinfo sigtimedwait pause flock lockf".split()
)
_C_MODULES = frozenset(
    "time select _thread _queue _socket _ssl _signal _multiprocessing fcntl posix".split()
)
_C_BLOCKING = _BLOCKING | {"__enter__", "get", "join", "connect", "do_handshake", "read"}

# Where the source is not here, or does not show it.
_LIBRARY = frozenset(
    """
    concurrent.futures.thread:_worker multiprocessing.connection:Connection._recv
    selectors:EpollSelector.select selectors:SelectSelector.select selectors:SelectSelector._select
    selectors:PollSelector.select selectors:_PollLikeSelector.select
    socket:SocketIO.readinto socket:socket.accept ssl:SSLSocket.read ssl:SSLSocket.do_handshake
    subprocess:Popen._try_wait subprocess:Popen._wait threading:Condition.wait
    threading:Condition.__enter__ threading:Thread._wait_for_tstate_lock threading:Thread.join
    threading:_shutdown
    """.split()
)


def waiting(recording: Recording) -> set[int]:
    """The functions that wait, by their index."""
    least = _LEAST_SHARE * recording.self_ns
    found: set[int] = set()
    unknown: list[Function] = []
    for function in recording.functions:
        record = function.record
        waits = _seen_to_wait(function)
        if waits is not None:
            found.update([function.index] * waits)
        elif not record.file:
            if record.module in _C_MODULES and record.name in _C_BLOCKING:
                found.add(function.index)
        elif function.self_ns >= least:
            if record.label in _LIBRARY:
                found.add(function.index)
            else:
                unknown.append(function)
    names = [record.name for record in recording.records]
    for function, text in _sources(recording, unknown):
        called = _BLOCKING.intersection(_called(text, function.record.name))
        if called and called - {names[index] for index in function.callees}:
            found.add(function.index)
    return found


def _seen_to_wait(function: Function) -> bool | None:
    """None: a sampler has not seen enough of it."""
    charges = function.charges
    if charges is None or sum(charges.samples.get(m, 0) for m in ("cpu", *WAITS)) < _FEWEST_LOOKS:
        return None
    wanting = sum(map(charges.of, _WANTING))
    idle = charges.wait_ns - wanting
    return idle > max(wanting, _MOST_OF_IT * (charges.ns - wanting))


def waited(recording: Recording, functions: Collection[int]) -> Counter[int]:
    """What of the total of each function is own time of those functions. Recursion counts once."""
    sums: Counter[int] = Counter()
    for thread in recording.threads if functions else ():  # trees are made when they are asked for
        active: Counter[int] = Counter()
        below = [0]
        for node, entering in paths(thread.root):
            if entering:
                active[node.function] += 1
                below.append(node.self_ns if node.function in functions else 0)
                continue
            ns = below.pop()
            below[-1] += ns
            active[node.function] -= 1
            if ns and not active[node.function]:
                sums[node.function] += ns
    return sums


def _sources(recording: Recording, functions: Iterable[Function]) -> Iterator[tuple[Function, str]]:
    """The lines of each function whose file is here and may be read."""
    known = {f.index: f for f in functions if f.record.name.isidentifier()}
    records = {index: function.record for index, function in known.items()}
    for index, text in Sources(recording).blocks(records):
        yield known[index], text


def _called(text: str, name: str) -> Iterator[str]:
    """The last names of what the function calls, `c` of a.b.c(); not what it awaits, nor what
    functions inside it call. Nothing where `text` is another function: its file has changed."""
    defined = callee = word = ""
    inside: int | None = None  # the indent of a function in the function
    awaited = False
    for token in _tokens(text):
        before, word = word, token.string
        indent = len(token.line) - len(token.line.lstrip())
        if inside is not None and (indent > inside or token.start[1] > indent):
            continue
        inside = None
        if before == "def":
            defined = defined or word
        elif word in ("def", "class") and defined:
            inside = indent
        elif token.type == tokenize.NAME:
            awaited = awaited if before == "." else before == "await"
            callee = word
        elif word == "(" and callee == before and not awaited and defined == name:
            yield callee


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Names and operators, as far as `text` is Python."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.NAME, tokenize.OP):
                yield token
    except (tokenize.TokenError, SyntaxError):
        return
