# SPDX-License-Identifier: Apache-2.0
"""A program forks as if it had one thread less, and its children are watched too.

Under -W error CPython drops the warning that a process with several threads forks, so the tests
have it shown: -W always.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.asan  # not tsan, whose runtime brings a thread of its own

PROGRAMS = Path(__file__).parent / "programs/fork"

ALWAYS = ("-W", "always")
WATCHED = ("idle", "watched")


def test_a_warning_would_be_seen(run):
    """What the other tests want not to see, of a thread that is the program's own."""
    source = PROGRAMS / "warned.py"
    assert "multi-threaded" in run(source, "without", *ALWAYS).stderr


HOOKS = ("no other hooks", "hooks after ours")
FORKS = ("os.fork", "through a wrapper", "os.forkpty")


@pytest.mark.parametrize("mode", WATCHED)
@pytest.mark.parametrize("hooks", HOOKS)
@pytest.mark.parametrize("fork", FORKS)
def test_no_fork_warns(run, mode, hooks, fork):
    source = PROGRAMS / "without_a_warning.py"
    assert run(source, mode, *ALWAYS, HOOKS=hooks, FORK=fork) == ("forked\n", "", 0)


@pytest.mark.parametrize("mode", WATCHED)
def test_children_that_are_forked_before_they_work(run, mode):
    source = PROGRAMS / "before_they_work.py"
    assert run(source, mode, *ALWAYS) == ("all\n", "", 0)


@pytest.mark.parametrize("mode", WATCHED)
def test_a_fork_in_a_fork(run, mode):
    source = PROGRAMS / "in_a_fork.py"
    assert run(source, mode, *ALWAYS) == ("all\n", "", 0)


@pytest.mark.parametrize("mode", WATCHED)
def test_a_fork_hook_that_forks(run, mode):
    source = PROGRAMS / "in_a_hook.py"
    assert run(source, mode) == ("all\n", "", 0)


# A fork while another thread ends leaves the child a lock of the sanitizer's allocator that nobody
# gives back, before https://github.com/llvm/llvm-project/pull/75290.
@pytest.mark.unsanitized
@pytest.mark.parametrize("mode", WATCHED)
def test_forks_of_several_threads_at_once(run, mode):
    source = PROGRAMS / "in_threads.py"
    assert run(source, mode, "-W", "ignore") == ("all\n", "", 0)


def test_a_child_of_a_thread_exits_as_without(same):
    """In it that thread is the main one, and runs what is to be run at exit."""
    outcome = same(
        PROGRAMS / "exit_of_a_threads_child.py",
        "-W",
        "ignore",
    )
    assert outcome.code == 0


def test_a_child_of_a_thread_that_ends_slowly(same):
    """Before 3.13, Python ends a process that makes a thread's state when there is no other."""
    outcome = same(PROGRAMS / "slow_end_of_a_threads_child.py", "-W", "ignore")
    assert outcome == ("0\n", "", 0)


@pytest.mark.parametrize("mode", WATCHED)
def test_a_stopped_pyusdt_stays_so_in_children(run, mode):
    source = PROGRAMS / "stopped.py"
    assert run(source, mode, *ALWAYS) == ("all\n", "", 0)


def test_subprocesses(same):
    outcome = same(
        PROGRAMS / "subprocesses.py",
        *ALWAYS,
    )
    assert outcome.code == 0


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(same, method):
    outcome = same(PROGRAMS / "pool.py", METHOD=method)
    assert outcome == ("[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]\n4\n", "", 0)
