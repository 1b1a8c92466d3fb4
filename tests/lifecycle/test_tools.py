# SPDX-License-Identifier: Apache-2.0
"""Other users of sys.monitoring: those that have all ids, that take ours, that forbid its use."""

from __future__ import annotations

DORMANT = "pyusdt: other tools hold the ids 2 to 4 of sys.monitoring: dormant until one is free"


def test_the_next_free_id_is_taken(run):
    source = """
    import sys, semaphores
    import pyusdt
    from pyusdt.libpyusdt import start, stop
    for taken, ours in ((), 4), ((4,), 3), ((4, 3), 2):
        stop()
        for i in taken: sys.monitoring.use_tool_id(i, "other")
        semaphores.up("PY_START")
        start()
        assert semaphores.tool() == ours, semaphores.tool()
        for i in taken: sys.monitoring.free_tool_id(i)
    print("ok")
    """
    assert run(source, "without") == ("ok\n", "", 0)


def test_all_ids_are_taken_and_one_is_freed(run):
    source = """
    import os, subprocess, sys, semaphores
    for i in range(6): sys.monitoring.use_tool_id(i, f"tool {i}")
    semaphores.up("PY_START", "LINE")
    import pyusdt
    def names(): return [sys.monitoring.get_tool(i) for i in range(6)]
    assert names() == [f"tool {i}" for i in range(6)]
    semaphores.down("LINE")
    assert not any(sys.monitoring.get_events(i) for i in range(6))
    show = [sys.executable, "-m", "pyusdt", "status", "-p", str(os.getpid())]
    told = subprocess.check_output(show, text=True).splitlines()
    print([line.split(maxsplit=1) for line in told if "dormant" in line])
    sys.monitoring.free_tool_id(3)
    semaphores.wait_for("PY_START")
    assert semaphores.tool() == 3
    semaphores.down("PY_START")
    semaphores.wait_for()
    print(names())
    """
    names = [None if i == 3 else f"tool {i}" for i in range(6)]
    told = [["dormant", "other tools hold the ids 2 to 4 of sys.monitoring"]]
    assert run(source, "without") == (f"{told}\n{names}\n", f"{DORMANT}\n", 0)


THIEF = """
import sys, semaphores
import pyusdt
from pyusdt.libpyusdt import start, stop
m = sys.monitoring
heard = []

def steal():
    "As viztracer does: whoever has the id loses it."
    semaphores.up("PY_START", "PY_RETURN")
    semaphores.wait_for("PY_START", "PY_RETURN")
    assert semaphores.tool() == 4
    m.free_tool_id(4)
    m.use_tool_id(4, THIEF_NAME)
    m.register_callback(4, m.events.PY_START, lambda code, offset: heard.append(code.co_name))
    m.register_callback(4, m.events.LINE, lambda code, line: None)
    m.set_events(4, m.events.PY_START | m.events.LINE)

def work(): pass

def check(what):
    heard.clear()
    work()
    assert heard[0] == "work", (what, heard)
    assert m.get_tool(4) is THIEF_NAME
    assert m.get_events(4) == m.events.PY_START | m.events.LINE
"""


def test_whoever_takes_our_id_keeps_it(run):
    """Also one that bears our name: another string with the same letters."""
    for name in ("'thief'", "''.join(['py', 'usdt'])"):
        source = f"""
THIEF_NAME = {name}
{THIEF}
steal()
check("stolen")
semaphores.up("CALL")
while m.get_tool(3) is None: pass
assert m.get_events(3) == m.events.PY_START | m.events.PY_RETURN | m.events.CALL
check("other events are wanted")
semaphores.down("PY_START", "PY_RETURN", "CALL")
while m.get_tool(3) is not None: pass
check("nothing is wanted")
stop()
check("stopped")
print("ok")
"""
        assert run(source, "without") == ("ok\n", "", 0)


def test_a_theft_is_noticed_though_nothing_else_happens(run):
    """Another id is claimed, and each call is heard once again."""
    source = f"""
THIEF_NAME = "thief"
{THIEF}
def fired(): return pyusdt.status()["probes_fired"].get("PY_START", 0)
steal()
while m.get_tool(3) is None: pass
assert m.get_events(3) == m.events.PY_START | m.events.PY_RETURN
before = fired()
for i in range(100): work()
print(fired() - before)
check("stolen")
"""
    outcome = run(source, "without", PYUSDT_VERBOSE="1", PYUSDT_ONLY="__main__:work")
    said = outcome.stderr.splitlines()
    both = [line for line in said if line.endswith(": PY_START PY_RETURN")]  # one may come first
    assert both == [f"pyusdt: enabled, tool id {i}: PY_START PY_RETURN" for i in (4, 3)]
    assert (outcome.stdout, outcome.code) == ("100\n", 0)


def test_a_thief_outlives_us(run):
    source = f"""
THIEF_NAME = "thief"
{THIEF}
import atexit
steal()
stop()
check("stopped")
start()
check("started again")
assert m.get_tool(3) == "pyusdt"
print("ok")
"""
    assert run(source, "without") == ("ok\n", "", 0)


AUDIT = """
import sys, semaphores
import pyusdt
armed = True
def hook(event, args):
    if armed and event == "sys.monitoring.register_callback":
        raise RuntimeError("not here")
sys.addaudithook(hook)
"""


def test_an_audit_hook_forbids_callbacks(run):
    """No exception of ours, no id held; and when it allows them, the events go on."""
    source = f"""
{AUDIT}
from pyusdt.libpyusdt import start, stop
stop()
semaphores.up("PY_START")
start()  # tries at once
assert [sys.monitoring.get_tool(i) for i in range(6)] == [None] * 6
armed = False
semaphores.wait_for("PY_START")
armed = True
semaphores.down("PY_START")
while semaphores.events(): pass
armed = False
semaphores.up("LINE")
semaphores.wait_for("LINE")
print("ok")
"""
    outcome = run(source, "without")
    assert (outcome.stdout, outcome.code) == ("ok\n", 0)
    assert set(outcome.stderr.splitlines()) == {
        "pyusdt: sys.monitoring refused to enable events: dormant, trying again"
    }


def test_cprofile_beside_us(run):
    """It wants id 2, which is the last that we ask for."""
    source = """
    import cProfile, semaphores, sys
    semaphores.up("PY_START", "PY_RETURN", "LINE")
    import pyusdt
    def work(n): return n and work(n - 1)
    with cProfile.Profile() as profile: work(22)
    counts = {e.code.co_name: e.callcount for e in profile.getstats()
              if hasattr(e.code, "co_name")}
    print(counts["work"], semaphores.tool())
    """
    assert run(source, "without") == ("23 4\n", "", 0)


def test_settrace_beside_us(run):
    source = """
    import semaphores, sys
    semaphores.up(*semaphores.ALL)
    import pyusdt
    told = []
    def trace(frame, event, arg):
        if frame.f_code.co_name == "work": told.append(event)
        return trace
    def work():
        return 1
    sys.settrace(trace)
    work()
    sys.settrace(None)
    print(*told)
    """
    assert run(source, "without") == ("call line return\n", "", 0)
