# SPDX-License-Identifier: Apache-2.0
"""Programs whose objects fight back: they print the same without pyusdt, idle, all watched, and
recorded.

A program prints which code of its own ran that it did not ask for: nothing, unless CPython itself
asks. One that hangs has met its test's deadline.
"""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.asan, pytest.mark.tsan]

# Objects that tell of every look at them, and then do something bad.
LOUD = '''
import threading
told = []

def loud(name, then):
    def method(self, *args, **kwargs):
        told.append(name)
        return then(self)
    return method

def fail(self): raise RuntimeError("no")
def recurse(self): return recurse(self)
def block(self): threading.Lock().acquire() and threading.Event().wait()
def start_thread(self):
    thread = threading.Thread(target=len, args=("",)); thread.start(); thread.join()
    return 1
def vanish(self):
    self.__dict__.clear()
    for name in list(vars(type(self))):
        try: delattr(type(self), name)
        except (AttributeError, TypeError): pass
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
    received = yield loud
    return loud

def work(then):
    thing, Error = make(then)(), make_error(then)
    use(thing); use([thing]); use({1: (thing,)}); use({"k": {"k": [thing]}})
    thing(); thing(thing)
    list(produce(thing))
    for it in produce(thing): pass
    try: raise Error(thing, thing)
    except Exception as error: seen = error
    try:
        try: raise Error("text")
        finally: use(thing)
    except Exception as error: seen = error
    def thrower():
        yield
    generator = thrower(); next(generator)
    try: generator.throw(Error(thing))
    except Exception: pass
    try: [].append(thing, thing)
    except TypeError: pass
'''


@pytest.mark.parametrize("then", ["fail", "recurse", "block", "start_thread", "vanish"])
def test_no_look_at_objects(same, run, then):
    program = f"{LOUD}\nwork({then})\nprint(sorted(set(told)))"
    without = same(program)
    assert without.code == 0
    assert run(program, "recorded") == without


@pytest.mark.parametrize("then", ["fail", "recurse", "start_thread", "vanish"])
def test_repr_is_asked_for(run, then):
    """PYUSDT_VALUES=repr runs the program's code, whatever that does; the program goes on."""
    done = "print('done', threading.active_count())"
    outcome = run(f"{LOUD}\nwork({then})\n{done}", "watched", PYUSDT_VALUES="repr")
    assert outcome == ("done 1\n", "", 0)


PROGRAMS = {
    "a key of the globals that hashes as __name__": """
        told = []
        class Key(str):
            def __hash__(self): return hash("__name__")
            def __eq__(self, other): told.append("eq"); return False
        class Globals(dict):
            def __getitem__(self, key): told.append("getitem"); raise KeyError(key)
            get = __contains__ = __iter__ = keys = __missing__ = __getitem__
        source = "def f():\\n  return 1\\nx = [f() for _ in range(3)]"
        for name in ({}, {"__name__": "real"}, {"__name__": 7}, {"__name__": "\\ud800"}):
            exec(compile(source, "<odd>", "exec"), {Key("other"): 1, **name})
            exec(compile(source, "<odd>", "exec"), Globals({Key("other"): 1, **name}))
        print(told)  # CPython itself asks as it makes a function
        """,
    "__name__ is no name": """
        import sys
        def f(): return 1
        for name in (None, 3, b"x", "\\ud800", "n" * 1000000, [f], "a\\0b"):
            globals()["__name__"] = name
            exec("def g(): return f()\\ng()")
        del globals()["__name__"]
        exec("def g(): return f()\\ng()")
        print("done")
        """,
    "code with impossible names": """
        import sys
        # The assertions of a debug build do not bear lines beyond the last int, whoever watches.
        MOST = 2**31 - 1 if not hasattr(sys, "gettotalrefcount") else 2**31 - 100
        def template(n):
            yield n
            try: raise ValueError(n)
            except ValueError: pass
            return len([n])
        code = template.__code__
        for name in ("", "\\ud800", "a\\0b", "n" * 1000000, "ü" * 1000000, "\\U0010ffff"):
            for first in (0, 1, MOST, 7):
                odd = code.replace(co_name=name, co_qualname=name, co_filename=name,
                                   co_firstlineno=first)
                print(list(type(template)(odd, {"ValueError": ValueError, "len": len})(3)))
        """,
    "code replaced while it runs": """
        def f(n):
            yield n
            yield n + 1
        def g(n):
            yield n * 10
            raise KeyError(n)
        out = []
        for i in range(200):
            a, b = f(i), g(i)
            out.append(next(a)); out.append(next(b))
            f.__code__, g.__code__ = g.__code__.replace(), f.__code__.replace(co_name=f"h{i}")
            try: out.append(next(a)); out.append(next(b))
            except KeyError as error: out.append(error.args)
        print(hash(str(out)) == hash(str(out)), out[-8:])
        """,
    "RecursionError at every depth": """
        import sys
        depths = []
        def down(n):
            try: return down(n + 1)
            except RecursionError:
                depths.append(n)
                raise
            finally: [].append(n)
        for limit in (100, 500, 3000):
            sys.setrecursionlimit(limit)
            depths.clear()
            try: down(0)
            except RecursionError: print(limit, depths[0], len(depths))
        """,
    "RecursionError in generators and in C": """
        import sys
        sys.setrecursionlimit(400)
        def nested(n): yield from nested(n + 1)
        def in_c(n): return sorted([1, 2], key=lambda x: in_c(n + 1))
        async def chain(n): await chain(n + 1)
        class Deep:
            def __getattr__(self, name): return getattr(self, name + "x")
        for what in (lambda: list(nested(0)), lambda: in_c(0), lambda: chain(0).send(None),
                     lambda: Deep().x):
            try: what()
            except RecursionError: print("caught")
        """,
    "signal handlers in the middle of everything": """
        import signal, sys
        class Enough(Exception): pass
        handled, caught = 0, False
        def numbers(n): yield from range(n)
        def handler(number, frame):
            global handled
            if caught: return
            handled += 1
            sum(numbers(3))
            try: raise ValueError(frame.f_lineno)
            except ValueError: pass
            if handled >= 500: raise Enough # again and again: Python drops one here and there
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
        def spin():
            while True:
                try: int("x" + str(sum(numbers(20))))
                except ValueError: pass
        try: spin()
        except Enough: caught = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        print("done", handled >= 500)
        """,
    "a debugger by sys.settrace": """
        import sys
        told = []
        def trace(frame, event, arg):
            told.append((frame.f_code.co_name, event, frame.f_lineno))
            frame.f_trace_opcodes = len(told) % 2 == 0
            return trace
        def numbers(n):
            for i in range(n): yield i
        def failing():
            try: raise ValueError
            except ValueError: return len("x")
        def traced():
            return [*numbers(3), failing(), [x for x in "ab"]]
        sys.settrace(trace); traced(); sys.settrace(None)
        def set_later(): sys.settrace(trace); sys._getframe().f_trace = trace; traced()
        set_later(); sys.settrace(None)
        print(*told, sep="\\n")
        """,
    "pdb": """
        import io, pdb
        def f(n):
            total = 0
            for i in range(n): total += i
            return total
        out = io.StringIO()
        commands = "b 5\\nc\\np i\\nc\\np i\\nn\\ns\\nw\\ncl 1\\nr\\nc\\n"
        debugger = pdb.Pdb(stdin=io.StringIO(commands), stdout=out, nosigint=True, readrc=False)
        debugger.use_rawinput = False
        print(debugger.runcall(f, 4))
        print(out.getvalue())
        """,
    "what threading knows is tampered with": """
        import sys, threading, _thread
        told = []
        class Thing:
            def __getattribute__(self, name): told.append(name); raise RuntimeError
            def __eq__(self, other): told.append("eq"); return True
            def __hash__(self): return _thread.get_ident()
        class Named(threading.Thread):
            name = property(lambda self: told.append("name") or "x", lambda self, value: None)
            native_id = property(lambda self: told.append("native_id"))
        def work(): return sum(i for i in range(50))
        def run():
            done = []
            for i in range(5):
                _thread.start_new_thread(lambda: done.append(work()), ())
            while len(done) < 5: work()
            if "pyusdt" in globals():  # which tells of all threads again, if that is watched
                pyusdt.libpyusdt.stop()
                pyusdt.libpyusdt.start()
        thread = Named(target=work); thread.start(); thread.join()
        told.clear()
        real = threading._active
        for active in ({Thing(): Thing()}, {"x": Thing()}, Thing(), None,
                       {_thread.get_ident(): Thing()}, {_thread.get_ident(): 7}):
            threading._active = active
            run()
        del threading._active
        run()
        sys.modules["threading"] = Thing()
        run()
        del sys.modules["threading"]
        class Key(str):
            def __hash__(self): return hash("threading")
            def __eq__(self, other): told.append("module"); return False
        sys.modules[Key("other")] = None
        run()
        print(told)
        sys.modules["threading"] = threading
        threading._active = real
        del sys.modules[next(k for k in sys.modules if type(k) is Key)]
        """,
    "gc.callbacks is changed": """
        import gc
        told = []
        class List(list):
            def append(self, item): told.append("append")
            remove = __contains__ = __iter__ = append
        for _ in range(3): gc.collect()
        gc.callbacks.clear()
        gc.collect()
        gc.callbacks.append(lambda phase, info: told.append(phase))
        gc.collect()
        gc.callbacks = List()
        gc.collect()
        del gc.callbacks
        gc.collect()
        print(told)
        """,
    "sys.monitoring is replaced": """
        import sys
        told = []
        class Monitoring:
            def __getattr__(self, name): told.append(name); raise RuntimeError
        for name in ("get_tool", "use_tool_id", "set_events", "register_callback", "free_tool_id",
                     "restart_events", "get_events"):
            setattr(sys.monitoring, name, lambda *args, name=name: told.append(name))
        sys.monitoring.events = None
        sys.monitoring = Monitoring()
        def work(): return [i for i in range(5)]
        for _ in range(1000): work()
        if "semaphores" in globals() and "pyusdt" in globals():
            pyusdt.libpyusdt.stop()
            pyusdt.libpyusdt.start()
        print(told)
        """,
    "our modules are taken away": """
        import sys
        for name in [name for name in sys.modules if name.startswith("pyusdt")]:
            del sys.modules[name]
        globals().pop("pyusdt", None)
        import gc
        gc.collect()
        def work(): return sum(i for i in range(100))
        print([work() for _ in range(3)])
        """,
    "our modules are imported anew": """
        import importlib, sys
        if "pyusdt" in globals():
            for _ in range(5):
                importlib.reload(pyusdt)
                for name in [name for name in sys.modules if name.startswith("pyusdt")]:
                    del sys.modules[name]
                import pyusdt
            assert [sys.monitoring.get_tool(i) for i in range(6)].count("pyusdt") <= 1
        print(sum(i for i in range(100)))
        """,
    "exit handlers are cleared": """
        import atexit, threading
        atexit._clear()
        class Last:
            def __del__(self): print([i for i in range(3)], flush=True)
        last = Last()
        def spin():
            while True: sum(i for i in range(100))
        threading.Thread(target=spin, daemon=True).start()
        print("end", flush=True)
        """,
    "audit hooks that fail": """
        import sys, threading
        armed = True
        told = []
        def hook(event, args):
            if armed and event == "sys._current_frames": raise RuntimeError("not here")
            if armed and event == "object.__getattr__": told.append(args)
        sys.addaudithook(hook)
        def work(): return sum(i for i in range(50))
        threads = [threading.Thread(target=work) for _ in range(10)]
        for thread in threads: thread.start(); work()
        for thread in threads: thread.join()
        if "pyusdt" in globals():
            pyusdt.libpyusdt.stop()
            pyusdt.libpyusdt.start()
            work()
        armed = False
        print(told)
        """,
    "frames are cleared and walked": """
        import sys, traceback, types
        def numbers():
            x = [1]
            yield sys._getframe()
            yield x
        generator = numbers()
        frame = next(generator)
        try: frame.clear()
        except RuntimeError as error: print(error)  # since 3.13
        print(list(generator), frame.f_back, frame.f_lineno)
        def deep(n): return deep(n - 1) if n else sys._current_frames()
        print(len(traceback.extract_stack(next(iter(deep(30).values())))) > 30)
        try: 1 / 0
        except ZeroDivisionError as error:
            traceback.clear_frames(error.__traceback__)
            print(error.__traceback__.tb_lineno)
        """,
    "asyncio is cancelled": """
        import asyncio
        log = []
        async def nap(n):
            try: await asyncio.sleep(10)
            except asyncio.CancelledError: log.append(n); raise
            finally: await asyncio.sleep(0)
        async def agen():
            try:
                for i in range(10): yield i; await asyncio.sleep(0)
            finally: log.append("closed")
        async def main():
            tasks = [asyncio.create_task(nap(n)) for n in range(5)]
            await asyncio.sleep(0)
            for task in tasks: task.cancel()
            print(len(await asyncio.gather(*tasks, return_exceptions=True)))
            async for i in agen():
                if i == 3: break
            try:
                async with asyncio.timeout(0): await asyncio.sleep(1)
            except TimeoutError: log.append("timeout")
        asyncio.run(main())
        print(log)
        """,
    "thread switches at every turn": """
        import sys, threading
        sys.setswitchinterval(1e-9)
        total = []
        def numbers(n):
            for i in range(n): yield i
        def work():
            for _ in range(20):
                try: raise ValueError(sum(numbers(10)))
                except ValueError as error: total.append(error.args[0])
        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(total), sum(total))
        """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_goes_on_as_without(same, run, name):
    # How often CPython itself compares keys depends on the seed.
    without = same(PROGRAMS[name], PYTHONHASHSEED="0")
    assert without.code == 0
    assert run(PROGRAMS[name], "recorded", PYTHONHASHSEED="0") == without


NO_MEMORY = """
import resource, sys
sys.stdout.flush()
def used():
    with open("/proc/self/statm") as statm: return int(statm.read().split()[0]) * 4096
def template(x):
    yield x
    raise ValueError(x)
def make(n):
    # Not by exec(), nor with a name of its own: with no memory CPython's compiler ends in a
    # SystemError, and 3.13.0 crashes as its table of names grows.
    code = template.__code__.replace(co_firstlineno=n + 1)
    return type(make)(code, {"__name__": "made", "ValueError": ValueError})
def work(n, hoard):
    try: list(make(n)(n))
    except ValueError: pass
    hoard.append(bytes(1 << 16))
out_of_memory = 0
limits = resource.getrlimit(resource.RLIMIT_AS)
for attempt in range(20):
    hoard = []
    resource.setrlimit(resource.RLIMIT_AS, (used() + (1 << 20) * (attempt % 4 + 1), limits[1]))
    try:
        for n in range(2000): work(n, hoard)
    except MemoryError:
        out_of_memory += 1
    finally:
        del hoard
        resource.setrlimit(resource.RLIMIT_AS, limits)
print(out_of_memory)
"""


@pytest.mark.unsanitized  # the limit does not allow for the sanitizer's own memory
@pytest.mark.parametrize("mode", ["without", "idle", "watched", "recorded"])
def test_no_memory(run, mode):
    assert run(NO_MEMORY, mode) == ("20\n", "", 0)


@pytest.mark.unsanitized  # as above
def test_no_memory_for_the_watcher(run):
    """Python ends the process where PyGILState_Ensure() has no memory for a thread's state."""
    source = """
    import resource, time
    import semaphores
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1, limits[1]))
    hoard, size = None, 1 << 20
    while size >= 128:
        try: hoard = hoard, bytes(size)
        except MemoryError: size //= 2
    semaphores.up("PY_START")
    time.sleep(0.05) # the watcher looks again and again, and can do nothing
    del hoard
    resource.setrlimit(resource.RLIMIT_AS, limits)
    semaphores.wait_for("PY_START")
    print("on")
    """
    assert run(source, "idle", PYTHONMALLOC="malloc") == ("on\n", "", 0)
