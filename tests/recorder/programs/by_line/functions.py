# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E731
"""Functions of all kinds. See test_lines.py for what the comments say."""  #: 1

import functools  #: 1


def factorial(n):  #: 1
    if n < 2:  #: 5
        return 1  #: 1
    return n * factorial(n - 1)  #: 4


def even(n):  #: 1
    return n == 0 or odd(n - 1)  #: 5 (3.13: 3)


def odd(n):  #: 1
    return n != 0 and even(n - 1)  #: 4 (3.13: 2)


def twice(function):  #: 1
    @functools.wraps(function)  #: 4
    def wrapper(*args):  #: 4
        function(*args)  #: 3
        return function(*args)  #: 3

    return wrapper  #: 2


def tagged(tag):  #: 1
    def decorate(function):  #: 1
        function.tag = tag  #: 1
        return function  #: 1

    return decorate  #: 1


@tagged("x")  #: 2
@twice  #: 2
def decorated(  #: 2
    n,
    step=max(1, 2),  #: 1
):
    return n + step  #: 4


class Shape:  #: 1; Shape 1
    sides = 4  #: 1

    def __init__(self, size):  #: 1
        self.size = size  #: 2

    @property  #: 2
    def area(self):  #: 2
        return self.size * self.sides  #: 3

    @classmethod  #: 2
    def make(cls, size):  #: 2
        return cls(size)  #: 1

    @staticmethod  #: 2
    @twice  #: 2
    def double(size):  #: 2
        return size * 2  #: 2

    def __lt__(self, other):  #: 1
        return self.size < other.size  #: 1


def lambdas():  #: 1
    key = lambda x: -x  #: 1; <lambda> 3
    sorted([3, 1, 2], key=key)  #: 1
    return [*map(lambda x: x + 1, range(4))]  #: 1; <lambda> 4


def split_lambda():  #: 1
    add = (  #: 1
        lambda a, b: (  #: 1; <lambda> 2 (3.13: 0)
            a  #: 4
            + b  #: 2
        )
    )
    return add(1, 2) + add(3, 4)  #: 1


def comprehensions(n):  #: 1
    squares = [i * i for i in range(n)]  #: 1
    odds = {i for i in squares if i & 1}  #: 1
    names = {i: str(i) for i in odds}  #: 1
    pairs = [  #: 9 (3.13: 2)
        (i, j)  #: 6 (3.14: 4)
        for i in range(2)  #: 3 (3.13: 4)
        for j in range(2)  #: 6
    ]
    return names, pairs  #: 1


def generator_expressions(n):  #: 1
    total = sum(i for i in range(n))  #: 1; <genexpr> 1
    total += sum(  #: 2; <genexpr> 5 (3.13: 1) (3.15: 0)
        i  #: <genexpr> 4
        for i in range(n)  #: 1; <genexpr> 4 (3.13: 5)
    )
    return total  #: 1


def closures():  #: 1
    count = 0  #: 1

    def bump():  #: 1
        nonlocal count
        count += 1  #: 3

    for _ in range(3):  #: 4
        bump()  #: 3
    return count  #: 1


factorial(5)  #: 1
even(4)  #: 1
decorated(1)  #: 1
decorated(2)  #: 1
shape = Shape.make(3)  #: 1
for _ in range(3):  #: 4
    shape.area  #: 3
Shape.double(3)  #: 1
sorted([shape, Shape(2)])  #: 1
lambdas()  #: 1
split_lambda()  #: 1
comprehensions(3)  #: 1
generator_expressions(4)  #: 1
closures()  #: 1
