# SPDX-License-Identifier: Apache-2.0
"""Pools of processes by every way of starting them. Standard input says: POOL traced|idle."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import Pool

import meeting

Submit = dict[str, Callable[[bool], object]]


def begin() -> tuple[Submit, list[Pool]]:
    """For each pool, of two processes: what hands it a task.

    The processes do two tasks each, but for those that are forked, before there is any thread: a
    pool would fork the next ones beside its threads, and Python hangs then now and then.
    """
    submit: Submit = {}
    pools = []
    for method in ("fork", "forkserver", "spawn"):
        context = multiprocessing.get_context(method)
        pool = context.Pool(2, maxtasksperchild=None if method == "fork" else 2)
        pools.append(pool)
        submit[f"{method}-pool"] = lambda traced, pool=pool: pool.apply_async(
            meeting.attend, [traced], error_callback=print
        )
        if method == "fork":
            continue  # no executor starts new workers by fork
        executor = ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=2)
        submit[f"{method}-executor"] = lambda traced, executor=executor: executor.submit(
            meeting.attend, traced
        )
    return submit, pools


if __name__ == "__main__":
    submit, pools = begin()
    print("ready", flush=True)
    # Not sys.stdin: a child that is forked while another thread reads it hangs as it closes it.
    for line in open(0, closefd=False):
        pool, state = line.split()
        submit[pool](state == "traced")
    # Their threads put new workers in the place of old ones, which fails once Python shuts down.
    for pool in pools:
        pool.close()
        pool.join()
