# SPDX-License-Identifier: Apache-2.0
"""A program forks as if it had one thread less, and its children are watched too.

Under -W error CPython drops the warning that a process with several threads forks, so the tests
have it shown: -W always.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.asan  # not tsan, whose runtime brings a thread of its own

ALWAYS = ("-W", "always")
CHILD = """
import os
import semaphores

def check_child():
    "In a child: its own watcher, which follows demand."
    assert semaphores.watchers() == 1, semaphores.thread_names()
    semaphores.down(*semaphores.ALL)
    semaphores.wait_for()
    semaphores.up("PY_START")
    semaphores.wait_for("PY_START")

def reap(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def fork_and_check(check=check_child):
    child = os.fork()
    if not child:
        code = 1
        try:
            check()
            code = 0
        finally:
            os._exit(code)
    return child
"""
WATCHED = ("idle", "watched")


def test_a_warning_would_be_seen(run):
    """What the other tests want not to see, of a thread that is the program's own."""
    source = """
    import os, threading
    go = threading.Event()
    threading.Thread(target=go.wait).start()
    child = os.fork()
    if not child: os._exit(0)
    os.waitpid(child, 0)
    go.set()
    """
    assert "multi-threaded" in run(source, "without", *ALWAYS).stderr


HOOKS = {
    "no other hooks": "",
    "hooks after ours": """
        import logging
        def hook():
            return [len(str(i)) for i in range(20)]
        os.register_at_fork(before=hook, after_in_parent=hook, after_in_child=hook)
        """,
}
FORKS = {
    "os.fork": "os.fork()",
    "through a wrapper": "functools.partial(map, lambda f: f())([os.fork]).__next__()",
    "os.forkpty": "forkpty()",
}


@pytest.mark.parametrize("mode", WATCHED)
@pytest.mark.parametrize("hooks", HOOKS)
@pytest.mark.parametrize("fork", FORKS)
def test_no_fork_warns(run, mode, hooks, fork):
    source = f"""
import functools, os, signal
{CHILD}
{HOOKS[hooks].replace("        ", "")}
def forkpty():
    child, terminal = os.forkpty()
    if child: os.close(terminal)
    return child

for _ in range(30):
    child = {FORKS[fork]}
    if not child:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
assert semaphores.watchers() == 1
print("forked")
"""
    assert run(source, mode, *ALWAYS) == ("forked\n", "", 0)


@pytest.mark.parametrize("mode", WATCHED)
def test_children_that_are_forked_before_they_work(run, mode):
    source = f"""
{CHILD}
children = [fork_and_check() for _ in range(8)]
for child in children: reap(child)
check_child()
print("all")
"""
    assert run(source, mode, *ALWAYS) == ("all\n", "", 0)


@pytest.mark.parametrize("mode", WATCHED)
def test_a_fork_in_a_fork(run, mode):
    source = f"""
{CHILD}
def grandchild():
    check_child()
    reap(fork_and_check())
    check_child()
reap(fork_and_check(grandchild))
check_child()
print("all")
"""
    assert run(source, mode, *ALWAYS) == ("all\n", "", 0)


@pytest.mark.parametrize("mode", WATCHED)
def test_a_fork_hook_that_forks(run, mode):
    source = f"""
{CHILD}
depth = 0
def again():
    global depth
    depth += 1
    if depth == 1: reap(fork_and_check())
    depth -= 1
os.register_at_fork(before=again)
reap(fork_and_check())
check_child()
print("all")
"""
    assert run(source, mode) == ("all\n", "", 0)


# A fork while another thread ends leaves the child a lock of the sanitizer's allocator that nobody
# gives back, before https://github.com/llvm/llvm-project/pull/75290.
@pytest.mark.unsanitized
@pytest.mark.parametrize("mode", WATCHED)
def test_forks_of_several_threads_at_once(run, mode):
    source = f"""
import threading
{CHILD}
def work():
    for _ in range(10): reap(fork_and_check())
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
check_child()
print("all")
"""
    assert run(source, mode, "-W", "ignore") == ("all\n", "", 0)


def test_a_child_of_a_thread_exits_as_without(same):
    """In it that thread is the main one, and runs what is to be run at exit."""
    outcome = same(
        """
        import atexit, os, sys, threading
        atexit.register(lambda: print("exit handler", flush=True))
        def work():
            child = os.fork()
            if not child:
                sys.exit(3)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        thread = threading.Thread(target=work)
        thread.start(); thread.join()
        """,
        "-W",
        "ignore",
    )
    assert outcome.code == 0


@pytest.mark.parametrize("mode", WATCHED)
def test_a_stopped_pyusdt_stays_so_in_children(run, mode):
    source = f"""
{CHILD}
from pyusdt.libpyusdt import stop
stop()
def check():
    assert not semaphores.watchers() and not semaphores.events()
reap(fork_and_check(check))
check()
print("all")
"""
    assert run(source, mode, *ALWAYS) == ("all\n", "", 0)


def test_subprocesses(same):
    outcome = same(
        """
        import os, subprocess, sys
        for i in range(10):
            done = subprocess.run(
                [sys.executable, "-c", "import os; print(os.environ['N'])"],
                preexec_fn=lambda: os.environ.update(N=str(i)) or os.setsid(),
                env=None, stdout=subprocess.PIPE,
            )
            print(done.returncode, done.stdout)
        print(subprocess.run(["true"]).returncode)
        print(os.spawnv(os.P_WAIT, sys.executable, ["python", "-c", "exit(5)"]))
        """,
        *ALWAYS,
    )
    assert outcome.code == 0


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(same, method):
    outcome = same(
        f"""
        import multiprocessing, os
        def square(n):
            return n * n
        def fail():
            raise SystemExit(4)
        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            with context.Pool(3) as pool:
                print(pool.map(square, range(10)))
            child = context.Process(target=fail)
            child.start(); child.join()
            print(child.exitcode)
        """
    )
    assert outcome == ("[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]\n4\n", "", 0)
