# SPDX-License-Identifier: Apache-2.0
"""Programs that show what a program can see of the way it was started, and how it can end.

PROGRAMS maps the name of a program, which is its file, to its source. cases.py runs them.
"""

from textwrap import dedent

_SOURCES = {
    "where.py": """
        import sys
        print(sys.argv, sys.path[0], sys.flags)
        for name, value in dict(globals()).items():
            print(name, type(value), value)
        print(sys.modules["__main__"].__dict__ is globals(), vars(__builtins__)["len"] is len)
        """,
    "path.py": "import sys; print(sys.path)",
    "sibling.py": "import shared.names; print(shared.names.__name__, __package__)",
    "shared/names.py": "",
    "package/__init__.py": "print('init of', __name__)",
    "package/__main__.py": """
        import sys
        from . import part
        print(sys.argv[1:], sys.path[0], __name__, __package__, __spec__.name, part.__name__)
        """,
    "package/part.py": "print(__name__, __file__, __spec__ and __spec__.name)",
    "package/fails.py": "from . import part\nraise ValueError(__name__)",
    "refuses/__init__.py": "raise ValueError('no import of this')",
    "refuses/part.py": "",
    "no_main/__init__.py": "",
    "namespace/part.py": "print(__name__, __package__)",
    "directory/__main__.py": "import sys, beside; print(sys.argv, sys.path[0], __file__)",
    "directory/beside.py": "",
    "directory_fails/__main__.py": "def f():\n    1 / 0\nf()",
    "empty_directory/note.txt": "",
    "ünï çödé.py": "import sys; print(sys.argv, __file__); raise ValueError('ø')",
    "latin.py": b"# -*- coding: latin-1 -*-\nprint('\xe9'.encode())",
    "bom.py": b"\xef\xbb\xbfprint('bom')",
    "crlf.py": b"print('a')\r\nif 1:\r\n    print('b')\r\n",
    "no_newline.py": "print('no newline')",
    "empty.py": "",
    "raises.py": """
        def f(n):
            if n:
                f(n - 1)
            raise LookupError("deep\\nlines")
        f(3)
        """,
    "chained.py": """
        def inner():
            raise KeyError("inner")
        try:
            inner()
        except KeyError as error:
            try:
                raise ValueError("middle") from error
            except ValueError:
                raise TypeError("outer")
        """,
    "group.py": "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
    "note.py": "error = ValueError('x'); error.add_note('a note'); raise error",
    "not_caught.py": """
        import traceback
        try:
            raise ValueError
        except ValueError as error:
            print(traceback.format_exc())
            print(len(traceback.extract_tb(error.__traceback__)))
        """,
    "context.py": """
        import sys
        print(sys.exc_info())
        raise ValueError("no context")
        """,
    "last.py": """
        import atexit, sys, traceback
        def show():
            traceback.print_tb(sys.last_traceback)
            print(sys.last_type, sys.last_value, sys.last_exc is sys.last_value)
            print(sys.last_exc.__traceback__ is sys.last_traceback, sys.excepthook)
        atexit.register(show)
        del show
        sys.last_exc = None
        raise ValueError("the last")
        """,
    "hook.py": """
        import sys, traceback
        def hook(kind, value, tb):
            print("hook", kind, value, traceback.extract_tb(tb), sys.exc_info())
            print(tb is value.__traceback__, tb.tb_frame.f_globals is globals())
        sys.excepthook = hook
        raise ValueError(1)
        """,
    "hook_fails.py": """
        import sys
        def hook(kind, value, tb):
            raise RuntimeError("in the hook")
        sys.excepthook = hook
        raise ValueError(1)
        """,
    "hook_exits.py": """
        import sys
        sys.excepthook = lambda *args: sys.exit(7)
        raise ValueError(1)
        """,
    "syntax.py": "def f(:\n    pass",
    "indent.py": "if True:\n",
    "unclosed.py": "x = (1,\n\n",
    "null.py": b"x = 1\0\n",
    "not_utf8.py": b"x = '\xff'\n",
    "unknown_coding.py": "# coding: nonesuch\n",
    "outside.py": "return 1",
    "warns.py": """
        import warnings
        warnings.warn("deprecated", DeprecationWarning)
        warnings.warn("for users")
        assert (1, "always")
        """,
    "exits.py": """
        import sys
        sys.exit({"zero": 0, "seven": 7, "none": None, "text": "a message", "big": 257,
                  "negative": -1, "tuple": (1, 2), "false": False}[sys.argv[1]])
        """,
    "raises_exit.py": "raise SystemExit",
    "exit_builtin.py": "exit(3)",
    "os_exit.py": "import os; print('gone', flush=True); os._exit(9)",
    "interrupt.py": "def f():\n    raise KeyboardInterrupt\nf()",
    "interrupt_subclass.py": "class Mine(KeyboardInterrupt): pass\nraise Mine",
    "killed.py": """
        import os, signal, sys, time
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
        time.sleep(60)
        """,
    "handler.py": """
        import os, signal, sys
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        print([s.name for s in signal.Signals if signal.getsignal(s) is signal.SIG_IGN])
        signal.signal(signal.SIGTERM, lambda *args: sys.exit(5))
        os.kill(os.getpid(), signal.SIGTERM)
        """,
    "base.py": "class Odd(BaseException): pass\nraise Odd('odd')",
    "stdin.py": "import sys; print(sys.stdin.read().upper()); print(sys.stdin.isatty())",
    "input.py": "print(input('? '), input())",
    "ends.py": """
        import atexit, sys, threading, weakref
        class Noisy:
            def __init__(self, name): self.name = name
            def __del__(self): print("del", self.name)
        noisy = Noisy("global")
        cycle = Noisy("cycle"); cycle.self = cycle
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
        """,
    "atexit_fails.py": "import atexit; atexit.register(lambda: 1 / 0)",
    "thread_fails.py": """
        import threading
        def work(): raise ValueError("in a thread")
        t = threading.Thread(target=work, name="worker"); t.start(); t.join()
        """,
    "unraisable.py": """
        class Bad:
            def __del__(self): raise ValueError("unraisable")
            def __repr__(self): return "<Bad>"
        Bad()
        """,
    "spawned.py": """
        import multiprocessing, os, sys
        class Point:
            def __init__(self, x): self.x = x
        def move(point):
            return Point(point.x + 1)
        def show(point):
            print("child", __name__, point.x, os.path.basename(sys.argv[0]), flush=True)
        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[1])
            with context.Pool(1) as pool:
                print(pool.map(move, [Point(1)])[0].x)
            child = context.Process(target=show, args=(Point(5),))
            child.start(); child.join()
            print(child.exitcode)
        """,
    "pickles.py": """
        import pickle
        class Mine: pass
        print(type(pickle.loads(pickle.dumps(Mine()))) is Mine, Mine.__module__)
        """,
    "data.py": """
        import dataclasses, typing
        @dataclasses.dataclass
        class Record:
            value: "typing.Optional[int]" = None
        number: int = 1
        print(Record(2), typing.get_type_hints(Record), __annotations__)
        """,
    "doctested.py": '''
        """
        >>> add(1, 1)
        2
        """
        def add(a, b): return a + b
        import doctest; print(doctest.testmod())
        ''',
    "tested.py": """
        import unittest
        class Test(unittest.TestCase):
            def test(self): self.assertTrue(True)
        """,
    "future.py": "def f(x: undefined): pass\nprint(f.__annotations__)",
    "forks.py": """
        import os, sys
        print("before", flush=True)
        pid = os.fork()
        if not pid:
            print("child", flush=True)
            sys.exit(4)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
    "asyncio_main.py": """
        import asyncio
        async def main():
            await asyncio.sleep(0)
            raise ValueError("in a task")
        asyncio.run(main())
        """,
    "pipe.py": "import os, sys; os.close(1); print('lost')",
}

PROGRAMS = {
    name: source if isinstance(source, bytes) else dedent(source).lstrip("\n").encode()
    for name, source in _SOURCES.items()
}
