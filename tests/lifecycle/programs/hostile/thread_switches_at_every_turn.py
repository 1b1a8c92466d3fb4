# SPDX-License-Identifier: Apache-2.0
import sys
import threading

sys.setswitchinterval(1e-9)
total = []


def numbers(n):
    for i in range(n):
        yield i


def work():
    for _ in range(20):
        try:
            raise ValueError(sum(numbers(10)))
        except ValueError as error:
            total.append(error.args[0])


threads = [threading.Thread(target=work) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(total), sum(total))
