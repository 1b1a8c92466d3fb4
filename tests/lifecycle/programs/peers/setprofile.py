# SPDX-License-Identifier: Apache-2.0
import sys

reported = []


def begin():
    sys.setprofile(lambda frame, event, arg: reported.append((frame.f_code.co_name, event)))


def end():
    sys.setprofile(None)


def answer():
    return [pair for pair in reported if pair[0] in ("work", "numbers") and "c_" not in pair[1]]
