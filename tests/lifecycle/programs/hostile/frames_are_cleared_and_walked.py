# SPDX-License-Identifier: Apache-2.0
import sys
import traceback


def numbers():
    x = [1]
    yield sys._getframe()
    yield x


generator = numbers()
frame = next(generator)
try:
    frame.clear()
except RuntimeError as error:
    print(error)  # since 3.13
print(list(generator), frame.f_back, frame.f_lineno)


def deep(n):
    return deep(n - 1) if n else sys._current_frames()


print(len(traceback.extract_stack(next(iter(deep(30).values())))) > 30)
try:
    1 / 0
except ZeroDivisionError as error:
    traceback.clear_frames(error.__traceback__)
    print(error.__traceback__.tb_lineno)
