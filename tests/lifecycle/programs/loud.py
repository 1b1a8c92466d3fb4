# SPDX-License-Identifier: Apache-2.0
"""Objects that report every look at them, and then do something bad: THEN, a function below."""

import os
import threading

reported = []


def loud(name, then):
    def method(self, *args, **kwargs):
        reported.append(name)
        return then(self)

    return method


def fail(self):
    raise RuntimeError("no")


def recurse(self):
    return recurse(self)


def block(self):
    threading.Lock().acquire() and threading.Event().wait()


def start_thread(self):
    thread = threading.Thread(target=len, args=("",))
    thread.start()
    thread.join()
    return 1


def vanish(self):
    self.__dict__.clear()
    for name in list(vars(type(self))):
        try:
            delattr(type(self), name)
        except (AttributeError, TypeError):
            pass
    raise RuntimeError("gone")


LOOKS = """__repr__ __str__ __eq__ __ne__ __lt__ __hash__ __bool__ __len__ __iter__ __next__
    __index__ __int__ __float__ __bytes__ __format__ __dir__ __contains__ __getitem__ __get__
    __set__ __getattr__ __getattribute__ __sizeof__ __reduce_ex__
    __instancecheck__ __subclasscheck__
    __set_name__ __mro_entries__ __prepare__""".split()


def make(then):
    looks = {name: loud(name, then) for name in LOOKS}
    Meta = type("Meta", (type,), {name: loud("Meta." + name, then) for name in LOOKS})
    names = ("__name__", "__qualname__", "__module__", "__doc__", "__class__", "__dict__", "args")
    fields = {name: property(loud(name, then)) for name in names if name != "__qualname__"}
    return Meta("Loud", (), {**looks, **fields, "__call__": lambda self, *args: None})


def make_error(then):
    looks = {name: loud("error " + name, then) for name in LOOKS if name not in ("__hash__",)}
    fields = {name: property(loud("error " + name, then)) for name in ("args", "__class__")}
    return type("Error", (Exception,), {**looks, **fields})


def use(loud):
    return loud


def produce(loud):
    yield loud
    _received = yield loud
    return loud


def work(then):
    thing, Error = make(then)(), make_error(then)
    use(thing)
    use([thing])
    use({1: (thing,)})
    use({"k": {"k": [thing]}})
    thing()
    thing(thing)
    list(produce(thing))
    for it in produce(thing):
        pass
    try:
        raise Error(thing, thing)
    except Exception as error:
        _seen = error
    try:
        try:
            raise Error("text")
        finally:
            use(thing)
    except Exception as error:
        _seen = error

    def thrower():
        yield

    generator = thrower()
    next(generator)
    try:
        generator.throw(Error(thing))
    except Exception:
        pass
    try:
        [].append(thing, thing)
    except TypeError:
        pass


work(globals()[os.environ["THEN"]])
if os.environ.get("PYUSDT_VALUES") == "repr":  # which looks at them
    print("done", threading.active_count())
else:
    print(sorted(set(reported)))
