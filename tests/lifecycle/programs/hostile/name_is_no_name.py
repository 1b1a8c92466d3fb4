# SPDX-License-Identifier: Apache-2.0


def f():
    return 1


for name in (None, 3, b"x", "\ud800", "n" * 1000000, [f], "a\0b"):
    globals()["__name__"] = name
    exec("def g(): return f()\ng()")
del globals()["__name__"]
exec("def g(): return f()\ng()")
print("done")
