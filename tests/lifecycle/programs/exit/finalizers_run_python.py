# SPDX-License-Identifier: Apache-2.0
class Last:
    def __del__(self):
        print([i for i in range(3)], flush=True)


last = Last()
loop = [Last()]
loop.append(loop)


def suspended():
    try:
        yield
    finally:
        print("closed", flush=True)


generator = suspended()
next(generator)
