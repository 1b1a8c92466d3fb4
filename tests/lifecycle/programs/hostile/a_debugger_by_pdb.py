# SPDX-License-Identifier: Apache-2.0
import io
import pdb


def f(n):
    total = 0
    for i in range(n):
        total += i
    return total


out = io.StringIO()
commands = f"b {f.__code__.co_firstlineno + 1}\nc\np i\nc\np i\nn\ns\nw\ncl 1\nr\nc\n"
debugger = pdb.Pdb(stdin=io.StringIO(commands), stdout=out, nosigint=True, readrc=False)
debugger.use_rawinput = False
print(debugger.runcall(f, 4))
print(out.getvalue())
