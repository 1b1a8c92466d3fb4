# SPDX-License-Identifier: Apache-2.0
def f(n):
    if n:
        f(n - 1)
    raise LookupError("deep\nlines")


f(3)
