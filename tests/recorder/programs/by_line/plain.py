# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E701, E702, F841, F842, PIE790, RUF021
"""Statements. See test_lines.py for what the comments say."""  #: 1

import contextlib  #: 1


def loops(n):  #: 1
    total = 0  #: 1
    for i in range(n):  #: 6
        if i % 2:  #: 5
            continue  #: 2
        total += i  #: 3
    while total:  #: 7
        total -= 1  #: 6
    else:
        total = 9  #: 1
    for i in range(n):  #: 3
        if i == 2:  #: 3
            break  #: 1
    return total  #: 1


def on_one_line(n):  #: 1
    for i in range(n): i += 1  #: 1  # fmt: skip
    while n: n -= 1  #: 1  # fmt: skip
    a = 1; b = 2  #: 1  # fmt: skip
    if a < b: a = 3  #: 1  # fmt: skip
    return a  #: 1


def several_lines(a, b):  #: 1
    whole = max(  #: 2
        a,  #: 1
        b,  #: 1
    )
    text = (  #: 1
        f"{a}"  #: 2
        f"{b}"  #: 1
    )
    sums = [  #: 1
        a + b,  #: 1
        a - b,  #: 1
    ]
    if (
        a > b  #: 1
        and whole  #: 0
        or text  #: 1
    ):
        return (  #: 1
            sums  #: 1
        )
    return (  #: 0
        whole
    )


def constants():  #: 1
    """It is no line that runs."""
    x = (1,  #: 1
         2)  # fmt: skip
    global LEFT
    LEFT = x  #: 1
    x: int = 3  #: 1
    y: int
    if 0:  #: 1
        x = 4
    while True:  #: 2
        x += 1  #: 2
        if x == 5:  #: 2
            break  #: 1
    pass  #: 1


def choices(values):  #: 1
    for value in values:  #: 4
        match value:  #: 3
            case 1:  #: 3
                value = 2  #: 1
            case [a, b]:  #: 2
                value = a  #: 1
            case _:  #: 1
                pass  #: 1
    return 1 if values else 0  #: 1


@contextlib.contextmanager  #: 2
def held():  #: 2
    yield 1  #: 4


def withs(n):  #: 1
    for _ in range(n):  #: 3
        with held() as one:  #: 4
            one += 1  #: 2
    with (  #: 3 (3.13: 0)
        held() as a,  #: 2
        held() as b,  #: 2
    ):
        a += b  #: 1


def nothing(): pass  #: 1; nothing 5  # fmt: skip


def one_line(x): return x + 1  #: 1; one_line 4  # fmt: skip


def one_liners():  #: 1
    for i in range(4):  #: 5
        one_line(i)  #: 4
        nothing()  #: 4
    nothing()  #: 1


loops(5)  #: 1
on_one_line(5)  #: 1
several_lines(1, 2)  #: 1
constants()  #: 1
choices([1, [2, 3], 4])  #: 1
withs(2)  #: 1
one_liners()  #: 1
