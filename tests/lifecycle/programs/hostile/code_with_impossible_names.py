# SPDX-License-Identifier: Apache-2.0
import sys

# The assertions of a debug build do not bear lines beyond the last int, whoever watches.
MOST = 2**31 - 1 if not hasattr(sys, "gettotalrefcount") else 2**31 - 100


def template(n):
    yield n
    try:
        raise ValueError(n)
    except ValueError:
        pass
    return len([n])


code = template.__code__
for name in ("", "\ud800", "a\0b", "n" * 1000000, "ü" * 1000000, "\U0010ffff"):
    for first in (0, 1, MOST, 7):
        odd = code.replace(co_name=name, co_qualname=name, co_filename=name, co_firstlineno=first)
        print(list(type(template)(odd, {"ValueError": ValueError, "len": len})(3)))
