# SPDX-License-Identifier: Apache-2.0
"""Other tools in the same process, before us and after us: both hear what they hear alone."""

from __future__ import annotations

import importlib.util
import json
import platform
import sys
from textwrap import dedent, indent
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.asan


class Tool(NamedTuple):
    """A tool around run(); `answer` is what it heard of work(), which is called 22 times."""

    begin: str
    end: str
    answer: str
    module: str = "sys"
    since: tuple[int, int] = (3, 12)


TOOLS = {
    "cProfile": Tool(
        "import cProfile; profile = cProfile.Profile(); profile.enable()",
        "profile.disable()",
        """{e.code.co_name: [e.callcount, e.reccallcount] for e in profile.getstats()
            if getattr(e.code, "co_name", "") in ("work", "numbers", "run")}""",
    ),
    "setprofile": Tool(
        "import sys; told = []\n"
        "sys.setprofile(lambda f, event, arg: told.append((f.f_code.co_name, event)))",
        "sys.setprofile(None)",
        "[word for word in told if word[0] in ('work', 'numbers') and 'c_' not in word[1]]",
    ),
    "profiling.tracing": Tool(
        "import profiling.tracing; profile = profiling.tracing.Profile(); profile.enable()",
        "profile.disable()",
        """{e.code.co_name: [e.callcount, e.reccallcount] for e in profile.getstats()
            if getattr(e.code, "co_name", "") in ("work", "numbers", "run")}""",
        "profiling",
        (3, 15),
    ),
    "coverage": Tool(
        "import coverage; cov = coverage.Coverage(data_file=None, include=[__file__])\ncov.start()",
        "cov.stop()",
        "cov.get_data().lines(__file__)",
        "coverage",
    ),
    "viztracer": Tool(
        "import viztracer; tracer = viztracer.VizTracer(verbose=0); tracer.start()",
        "tracer.stop(); tracer.parse()",
        """sorted(e["name"].split(" ")[0] for e in tracer.data["traceEvents"]
            if e["name"].startswith(("work", "numbers", "run")))""",
        "viztracer",
    ),
    "line_profiler": Tool(
        "import line_profiler; lines = line_profiler.LineProfiler(work, numbers); lines.enable()",
        "lines.disable()",
        "[[(l, n) for l, n, t in stats] for stats in lines.get_stats().timings.values()]",
        "line_profiler",
    ),
    "settrace": Tool(
        """
        import sys
        told = []
        def trace(frame, event, arg):
            if frame.f_code.co_name in ("work", "numbers"): told.append((frame.f_lineno, event))
            return trace
        sys.settrace(trace)
        """,
        "sys.settrace(None)",
        "told",
    ),
    "pdb": Tool(
        """
        import io, pdb, sys
        said = io.StringIO()
        backend = {"backend": "monitoring"} if sys.version_info >= (3, 14) else {}
        said_to = io.StringIO("continue\\n" * 30)
        debugger = pdb.Pdb(stdin=said_to, stdout=said, nosigint=True, readrc=False, **backend)
        debugger.set_break(__file__, work.__code__.co_firstlineno + 1)
        debugger.set_trace()
        """,
        "getattr(debugger, 'stop_trace', lambda: sys.settrace(None))()",
        "[line for line in said.getvalue().splitlines() if line.endswith('work()')]",
    ),
    "bdb with monitoring": Tool(
        """
        import bdb
        told = []
        class Debugger(bdb.Bdb):
            def user_line(self, frame):
                told.append((frame.f_code.co_name, frame.f_lineno)); self.set_continue()
        debugger = Debugger(backend="monitoring")
        assert debugger.set_break(__file__, work.__code__.co_firstlineno + 1) is None
        debugger.reset(); debugger.start_trace()
        """,
        "debugger.stop_trace()",
        "[word for word in told if word[0] == 'work']",
        "bdb",
        (3, 14),
    ),
    "a tool of sys.monitoring": Tool(
        """
        import sys
        told = []
        m = sys.monitoring
        E = m.events
        m.use_tool_id(3, "tool")
        for event in (E.PY_START, E.PY_RETURN, E.LINE, E.PY_YIELD, E.RAISE, E.CALL):
            m.register_callback(3, event, lambda code, *args, event=event:
                told.append((event, code.co_name)) or (m.DISABLE if event == E.LINE else None))
        m.set_events(3, E.PY_START | E.PY_RETURN | E.LINE | E.PY_YIELD | E.RAISE)
        """,
        "m.set_events(3, 0); m.free_tool_id(3)",
        "[word for word in told if word[1] in ('work', 'numbers')]",
    ),
}
# What is asked of us: with CALL on, CPython tells other tools of calls that it did not before.
WATCHED = ("PY_START", "PY_RETURN", "PY_YIELD", "LINE", "RAISE", "PY_UNWIND", "function__done")
OURS = f"""
import semaphores
semaphores.up(*{WATCHED})
import pyusdt
while len(semaphores.events()) < 8: pass
"""
PROGRAM = """
import json
def numbers(n):
    for i in range(n):
        yield i
def work(n):
    try:
        raise ValueError(n)
    except ValueError:
        pass
    return sum(numbers(3))
def run():
    for i in range(22):
        work(i)
{first}
{second}
run()
{end}
fired = pyusdt.status()["probes_fired"] if "pyusdt" in globals() else None
print(json.dumps([{answer}, fired]))
"""


def program(tool: Tool, order: str) -> str:
    begin = dedent(tool.begin)
    first, second = {
        "alone": (begin, ""),
        "before us": (begin, OURS),
        "after us": (OURS, begin),
        "after our import": ("import pyusdt", begin + OURS),
    }[order]
    answer = indent(dedent(tool.answer), "    ").lstrip()
    # As many lines in each: the tools tell of line numbers.
    return PROGRAM.format(first=first, second=second, end=tool.end, answer=answer)


@pytest.mark.parametrize("order", ["before us", "after us", "after our import"])
@pytest.mark.parametrize("name", TOOLS)
def test_both_hear_what_they_hear_alone(run, name, order):
    tool = TOOLS[name]
    version = f"Python {platform.python_version()}"
    if sys.version_info < tool.since:
        pytest.skip(f"{version} has no {name}")
    if importlib.util.find_spec(tool.module) is None:
        pytest.skip(f"{version}: there is no {name} for it")
    answers = []
    for how in ("alone", order):
        outcome = run(
            program(tool, how), "without", COVERAGE_CORE="sysmon", PYUSDT_ONLY="__main__:work"
        )
        assert (outcome.stderr, outcome.code) == ("", 0)
        answers.append(json.loads(outcome.stdout))
    (alone, _), (beside, fired) = answers
    assert alone
    assert beside == alone
    assert [fired[p] for p in ("PY_START", "PY_RETURN", "RAISE", "function__done")] == [22] * 4
    assert fired["LINE"] == 22 * 5
