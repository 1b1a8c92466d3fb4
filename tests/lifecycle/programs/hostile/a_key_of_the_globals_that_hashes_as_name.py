# SPDX-License-Identifier: Apache-2.0
reported = []


class Key(str):
    def __hash__(self):
        return hash("__name__")

    def __eq__(self, other):
        reported.append("eq")
        return False


class Globals(dict):
    def __getitem__(self, key):
        reported.append("getitem")
        raise KeyError(key)

    get = __contains__ = __iter__ = keys = __missing__ = __getitem__


source = "def f():\n  return 1\nx = [f() for _ in range(3)]"
for name in ({}, {"__name__": "real"}, {"__name__": 7}, {"__name__": "\ud800"}):
    exec(compile(source, "<odd>", "exec"), {Key("other"): 1, **name})
    exec(compile(source, "<odd>", "exec"), Globals({Key("other"): 1, **name}))
print(reported)  # CPython itself asks as it makes a function
