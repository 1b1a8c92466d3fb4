# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RET504
"""Exceptions. See test_lines.py for what the comments say."""  #: 1


def refuse(n):  #: 1
    if n:  #: 8
        raise ValueError(n)  #: 6 !6
    return n  #: 2


def caught(n):  #: 1
    for i in range(n):  #: 4
        try:  #: 3
            refuse(i)  #: 3 !2
            i += 1  #: 1
        except KeyError:  #: 2
            i = 9  #: 0
        except ValueError as error:  #: 2
            del error  #: 2
        else:
            i = 2  #: 1
        finally:
            i = 3  #: 3


def passes(n):  #: 1
    try:  #: 2
        refuse(n)  #: 2 !1
    finally:
        n += 1  #: 2
    return n  #: 1


def again():  #: 1
    try:  #: 1
        refuse(2)  #: 1 !1
    except ValueError as error:  #: 1
        raise KeyError from error  #: 1 !1


def returns(n):  #: 1
    for _ in range(n):  #: 1
        try:  #: 1
            return refuse(1)  #: 1 !1
        except ValueError:  #: 1
            return 3  #: 1
        finally:
            n = 4  #: 1
    return 5  #: 0


class Quiet:  #: 1; Quiet 1
    def __enter__(self):  #: 1
        return self  #: 1

    def __exit__(self, *of):  #: 1
        return True  #: 1


def silenced():  #: 1
    with Quiet() as quiet:  #: 2
        refuse(1)  #: 1 !1
        quiet = None  #: 0
    return quiet  #: 1


def in_c(n):  #: 1
    for _ in range(n):  #: 3
        try:  #: 2
            len(n)  #: 2 !2
        except TypeError:  #: 2
            pass  #: 2


def group():  #: 1
    try:  #: 1
        raise ExceptionGroup("both", [ValueError(1), KeyError(2)])  #: 1 !1
    except* ValueError:  #: 1
        pass  #: 1
    except* KeyError:  #: 1
        pass  #: 1


def deep(n):  #: 1
    if not n:  #: 4
        raise LookupError  #: 1 !1
    try:  #: 3
        deep(n - 1)  #: 3 !3
    finally:
        n = 0  #: 3


caught(3)  #: 1
passes(0)  #: 1
try:  #: 1
    passes(3)  #: 1 !1
except ValueError:  #: 1
    pass  #: 1
try:  #: 1
    again()  #: 1 !1
except KeyError:  #: 1
    pass  #: 1
returns(2)  #: 1
silenced()  #: 1
in_c(2)  #: 1
group()  #: 1
try:  #: 1
    deep(3)  #: 1 !1
except LookupError:  #: 1
    pass  #: 1
