# SPDX-License-Identifier: Apache-2.0
"""Programs that show what a program can see of the way it was started, and how it can end.

PROGRAMS maps the name of a program, which is its file, to its source; CASES lists the command
lines, as `python` would be given them, that have to have the same effect when pyusdt launches them.
"""

from dataclasses import dataclass
from textwrap import dedent

_SOURCES = {
    "where.py": """
        import sys
        print(sys.argv, sys.path[0], sys.flags)
        for name, value in globals().items():
            if name != "sys":
                # An object's address is not to be compared.
                print(name, str(value).partition(" object at")[0])
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
    "signal.py": """
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
        if __name__ == "__main__":
            unittest.main(verbosity=0, argv=["tested"], exit=False, testRunner=None)
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


@dataclass
class Case:
    """A command line of python's, in one string unless a word of it has a space."""

    words: str | list[str]
    options: str = ""
    """Options for the interpreter itself."""
    stdin: str = ""
    cwd: str = "."
    """Where it is started, below the directory of the programs; {root} in `words` is that."""

    def command(self, root: str) -> list[str]:
        """Return the words, for programs that are in the directory `root`."""
        words = self.words.split() if isinstance(self.words, str) else self.words
        return [word.replace("{root}", root) for word in words]

    def __str__(self) -> str:
        text = self.words if isinstance(self.words, str) else " ".join(self.words)
        return " ".join(filter(None, [self.options, text, self.cwd.strip(".")])).replace("\n", ";")


CASES = [
    # How it was started
    Case("where.py a -b --wait --help"),
    Case("./where.py"),
    Case("{root}/where.py"),
    Case("../where.py", cwd="package"),
    Case("link.py"),
    Case("path.py"),
    Case("path.py", options="-P"),
    Case("path.py", options="-I"),
    Case("path.py", options="-u -X dev"),
    Case("../path.py", cwd="package"),
    Case("-m path"),
    Case("-m path", options="-P"),
    Case("directory", options="-P"),
    Case(["-c", "import sys; print(sys.path)"]),
    Case(["-c", "import sys; print(sys.path)"], options="-P"),
    Case("-", stdin="import sys; print(sys.path)"),
    Case("where.py", options="-O -B -s -W ignore"),
    Case("where.py", options="-W error"),
    Case("where.py", options="-X utf8=0 -X faulthandler"),
    Case("sibling.py"),
    Case("../sibling.py", cwd="package"),
    Case("-m where a -m b"),
    Case("-mwhere"),
    Case("-m package x y"),
    Case("-m package.part"),
    Case("-m package.__main__"),
    Case("-m package.fails"),
    Case("-m namespace.part"),
    Case("-m part", cwd="package"),
    Case("directory a"),
    Case("./directory/"),
    Case("{root}/directory"),
    Case("app.pyz a b"),
    Case("app_fails.pyz"),
    Case("directory_fails"),
    Case("package"),
    Case("where.pyc x"),
    Case("renamed_bytecode"),
    Case(["-c", "import sys; print(sys.argv, sys.path[0], sorted(globals()))", "a", "-c"]),
    Case(["-cprint(__name__, __loader__)"]),
    Case("- a b", stdin="import sys; print(sys.argv, repr(sys.path[0]), sorted(globals()))"),
    Case(["ünï çödé.py", "a b", "", "ä"]),
    Case("latin.py"),
    Case("bom.py"),
    Case("crlf.py"),
    Case("no_newline.py"),
    Case("empty.py"),
    Case("future.py"),
    Case("data.py"),
    Case("pickles.py"),
    Case("doctested.py"),
    Case("-m unittest tested"),
    Case("-m json.tool", stdin='{"a": 1}'),
    # How it ends
    *(
        Case(f"{name}.py")
        for name in (
            "raises",
            "chained",
            "group",
            "note",
            "not_caught",
            "context",
            "last",
            "hook",
            "hook_fails",
            "hook_exits",
            "base",
            "asyncio_main",
            "raises_exit",
            "exit_builtin",
            "os_exit",
            "interrupt",
            "interrupt_subclass",
            "handler",
            "warns",
            "atexit_fails",
            "thread_fails",
            "unraisable",
            "forks",
            "pipe",
        )
    ),
    Case("-m raises"),
    Case("-m chained"),
    Case("-m hook"),
    Case("-m hook_fails"),
    Case("-m interrupt"),
    Case(["-c", "def f():\n  1 / 0\nf()"]),
    Case(["-c", "raise KeyboardInterrupt"]),
    Case(["-c", "x = ("]),
    Case(["-c", "  indented = 1"]),
    Case("-", stdin="def f():\n  1 / 0\nf()"),
    Case("-", stdin="x = ("),
    Case("-", stdin=""),
    Case("raises.py", options="-X dev"),
    Case("warns.py", options="-W error"),
    Case("-m warns", options="-W always"),
    *(
        Case(f"exits.py {how}")
        for how in (
            "zero",
            "seven",
            "none",
            "text",
            "big",
            "negative",
            "tuple",
            "false",
        )
    ),
    Case("-m exits text"),
    Case("signal.py SIGINT"),
    Case("signal.py SIGTERM"),
    Case("signal.py SIGKILL"),
    Case("-m signal_ SIGINT"),
    Case("ends.py"),
    Case("ends.py ValueError(1)"),
    Case("ends.py SystemExit(3)"),
    Case("ends.py KeyboardInterrupt"),
    Case("-m ends"),
    Case("-m ends ValueError(1)"),
    Case("stdin.py", stdin="one\ntwo"),
    Case("input.py", stdin="one\ntwo\n"),
    Case("spawned.py spawn"),
    Case("spawned.py forkserver"),
    Case("-m spawned spawn"),
    # python -i goes on with its prompt
    Case("raises.py", options="-i", stdin="print(f)"),
    Case("exits.py seven", options="-i", stdin="print(__name__)"),
    Case("empty.py", options="-i", stdin="print(sorted(globals()))"),
    Case("-m exits seven", options="-i", stdin="print(__name__)"),
    # What does not run
    *(
        Case(f"{name}.py")
        for name in (
            "syntax",
            "indent",
            "unclosed",
            "null",
            "not_utf8",
            "unknown_coding",
            "outside",
        )
    ),
    Case("-m syntax"),
    Case("syntax.py", options="-i", stdin="print(1)"),
    Case("nosuch.py"),
    Case("./no/such/file"),
    Case("/nosuch.py"),
    Case("where.py/"),
    Case("loop.py"),
    Case("socket"),
    Case("no_rights.py"),  # which do not matter to root
    Case("/dev/stdin a", stdin="import sys; print(sys.argv, __file__)"),
    Case("/dev/stdin", stdin="x = "),
    Case("empty_directory"),
    Case("./"),
    Case("-m nosuch"),
    Case("-m package.nosuch"),
    Case("-m no_main"),
    Case("-m refuses.part"),
    Case("-m refuses"),
    Case("-m where.py"),
    Case("-m .part"),
    Case("truncated.pyc"),
    Case("other_version.pyc"),
]
