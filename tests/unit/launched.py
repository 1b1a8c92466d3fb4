# SPDX-License-Identifier: Apache-2.0
"""Programs that show what a program can see of the way it was started, and how it can end.

PROGRAMS maps the name of a program, which is its file, to its source: those in programs/launched/,
and those that are a few lines, or that no linter would take. cases.py runs them.
"""

from pathlib import Path
from textwrap import dedent

_SOURCES = {
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
    "group.py": "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])",
    "note.py": "error = ValueError('x'); error.add_note('a note'); raise error",
    "context.py": """
        import sys
        print(sys.exc_info())
        raise ValueError("no context")
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
    "base.py": "class Odd(BaseException): pass\nraise Odd('odd')",
    "stdin.py": "import sys; print(sys.stdin.read().upper()); print(sys.stdin.isatty())",
    "input.py": "print(input('? '), input())",
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
    "pickles.py": """
        import pickle
        class Mine: pass
        print(type(pickle.loads(pickle.dumps(Mine()))) is Mine, Mine.__module__)
        """,
    "tested.py": """
        import unittest
        class Test(unittest.TestCase):
            def test(self): self.assertTrue(True)
        """,
    "future.py": "def f(x: undefined): pass\nprint(f.__annotations__)",
    "pipe.py": "import os, sys; os.close(1); print('lost')",
}

_FILES = Path(__file__).parent / "programs/launched"
PROGRAMS = {path.name: path.read_bytes() for path in _FILES.glob("*.py")} | {
    name: source if isinstance(source, bytes) else dedent(source).lstrip("\n").encode()
    for name, source in _SOURCES.items()
}
