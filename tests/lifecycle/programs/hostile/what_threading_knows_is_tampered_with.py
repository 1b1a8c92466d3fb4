# SPDX-License-Identifier: Apache-2.0
import _thread
import sys
import threading

reported = []


class Thing:
    def __getattribute__(self, name):
        reported.append(name)
        raise RuntimeError

    def __eq__(self, other):
        reported.append("eq")
        return True

    def __hash__(self):
        return _thread.get_ident()


class Named(threading.Thread):
    name = property(lambda self: reported.append("name") or "x", lambda self, value: None)
    native_id = property(lambda self: reported.append("native_id"))


def work():
    return sum(i for i in range(50))


def run():
    done = []
    for i in range(5):
        _thread.start_new_thread(lambda: done.append(work()), ())
    while len(done) < 5:
        work()
    if "pyusdt" in globals():  # which reports all threads again, if that is watched
        import pyusdt

        pyusdt.libpyusdt.stop()
        pyusdt.libpyusdt.start()


thread = Named(target=work)
thread.start()
thread.join()
reported.clear()
real = threading._active
for active in (
    {Thing(): Thing()},
    {"x": Thing()},
    Thing(),
    None,
    {_thread.get_ident(): Thing()},
    {_thread.get_ident(): 7},
):
    threading._active = active
    run()
del threading._active
run()
sys.modules["threading"] = Thing()
run()
del sys.modules["threading"]


class Key(str):
    def __hash__(self):
        return hash("threading")

    def __eq__(self, other):
        reported.append("module")
        return False


sys.modules[Key("other")] = None
run()
print(reported)
sys.modules["threading"] = threading
threading._active = real
del sys.modules[next(k for k in sys.modules if type(k) is Key)]
