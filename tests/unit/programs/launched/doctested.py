# SPDX-License-Identifier: Apache-2.0
"""
>>> add(1, 1)
2
"""


def add(a, b):
    return a + b


import doctest

print(doctest.testmod())
