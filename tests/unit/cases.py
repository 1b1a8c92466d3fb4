# SPDX-License-Identifier: Apache-2.0
"""Command lines, as `python` would be given them, whose effect must be the same under pyusdt.

The programs are those of launched.py, and what test_launcher.py makes beside them.
"""

from dataclasses import dataclass


@dataclass
class Case:
    """A command line of python's, in one string unless a word of it has a space."""

    words: str | list[str]
    options: str = ""
    """Options for the interpreter itself."""
    stdin: str = ""
    cwd: str = "."
    """Where it is started, below the directory of the programs; {root} in `words` is that.

    The directory "gone" is removed before the program starts.
    """

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
    Case("{root}/path.py", cwd="gone"),
    Case("path.py", cwd="gone"),
    Case("-m json.tool --indent 1", cwd="gone", stdin="[]"),
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
    Case("-m raises", options="-X frozen_modules=off"),
    Case("app_fails.pyz", options="-X frozen_modules=off"),
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
    Case("killed.py SIGINT"),
    Case("killed.py SIGTERM"),
    Case("killed.py SIGKILL"),
    Case("-m killed SIGINT"),
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
    Case("-m path.py"),
    Case("-m .part"),
    Case("truncated.pyc"),
    Case("other_version.pyc"),
]
