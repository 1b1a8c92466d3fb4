# SPDX-License-Identifier: Apache-2.0
import signal


class Enough(Exception):
    pass


handled, caught = 0, False


def numbers(n):
    yield from range(n)


def handler(number, frame):
    global handled
    if caught:
        return
    handled += 1
    sum(numbers(3))
    try:
        raise ValueError(frame.f_lineno)
    except ValueError:
        pass
    if handled >= 500:
        raise Enough  # again and again: Python drops one here and there


signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)


def spin():
    while True:
        try:
            int("x" + str(sum(numbers(20))))
        except ValueError:
            pass


try:
    spin()
except Enough:
    caught = True
signal.setitimer(signal.ITIMER_REAL, 0)
print("done", handled >= 500)
