# SPDX-License-Identifier: Apache-2.0
def f(n):
    yield n
    yield n + 1


def g(n):
    yield n * 10
    raise KeyError(n)


out = []
for i in range(200):
    a, b = f(i), g(i)
    out.append(next(a))
    out.append(next(b))
    f.__code__, g.__code__ = g.__code__.replace(), f.__code__.replace(co_name=f"h{i}")
    try:
        out.append(next(a))
        out.append(next(b))
    except KeyError as error:
        out.append(error.args)
print(hash(str(out)) == hash(str(out)), out[-8:])
