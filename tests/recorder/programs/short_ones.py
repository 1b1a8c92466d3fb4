# SPDX-License-Identifier: Apache-2.0
import pyusdt


def leaf():
    pass


def work(n):
    for _ in range(n):
        leaf()


for i in range(300):
    with pyusdt.record() as rec:
        work(3000)
    (calls,) = [f.calls for f in rec.functions if f.record.name == "leaf"]
    assert calls == 3000, (i, calls)
