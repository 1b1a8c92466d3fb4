# SPDX-License-Identifier: Apache-2.0
import atexit
import sys
import threading
import weakref


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name)


noisy = Noisy("global")
cycle = Noisy("cycle")
cycle.self = cycle
weakref.finalize(noisy, print, "finalize")
go = threading.Event()


def work():
    go.wait()
    threading.main_thread().join()
    print("thread", sys.modules["__main__"].__name__, "__file__" in globals())


threading.Thread(target=work).start()
atexit.register(print, "atexit 1")
atexit.register(lambda: print("atexit 2", "__file__" in globals()))
print("main ends")
go.set()
if sys.argv[1:]:
    raise eval(sys.argv[1])
