# SPDX-License-Identifier: Apache-2.0
"""The launcher: run a program as `python` would, with the probes ready from its first line.

What a program can see of us: `sys.orig_argv` is the real command line, `sys.modules` has what we
import, and a few frames of ours lie at the bottom of the main thread's stack: `sys._getframe` and
`inspect.stack` find them, and recursion ends that many calls earlier. Tracebacks do not show them.
"""

import builtins
import io
import marshal
import os
import sys
from collections.abc import Callable
from importlib.machinery import (
    BuiltinImporter,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import MAGIC_NUMBER, find_spec
from types import CodeType, ModuleType, TracebackType

from pyusdt import libpyusdt
from pyusdt.errors import UsageError, UserError, print_line
from pyusdt.launch.options import FOREVER, Options, read


def is_recorded() -> bool:
    """Whether this process is to join a recording: that of the process that has started it."""
    return bool(os.environ.get("PYUSDT_RECORDING")) and not sys.flags.ignore_environment


def is_program(name: str) -> bool:
    """Whether `name` is there for Python to run: a file, or a directory with a __main__.py."""
    return os.path.isfile(os.path.join(name, "__main__.py") if os.path.isdir(name) else name)


def parse(words: list[str]) -> "Program":
    """Understand a command line: options of ours, then what `python` is to run, then arguments.

    Raises UsageError.
    """
    options, program = read(words)
    return Program(program, options)


class Program:
    """What `python` is asked to run: `load` it, `prepare` as the options ask, then `execute` it.

    Exceptions that leave `load` and `execute` are the program's own.
    """

    def __init__(self, words: list[str], options: Options) -> None:
        """Take the words that `python` would be given, and ours."""
        self.words = words
        self.options = options
        self.kind = words[0][:2] if words[0].startswith("-") else "file"
        self.target, self.argv = words[0], words
        if self.kind in ("-m", "-c"):
            # The value is the rest of the option's word, or else the next word.
            values = [words[0][2:], *words[1:]] if words[0][2:] else words[1:]
            if not values:
                raise UsageError(f"option {self.kind} needs a value")
            self.target, self.argv = values[0], [self.kind, *values[1:]]
        self.code: CodeType | None = None  # None: runpy finds it
        self.namespace: dict[str, object] = {}

    def load(self) -> None:
        """Make the process look as if `python` had started the program, and compile it."""
        libpyusdt.stop()  # importing us for the console script has started it
        python_words = _python_words()
        _drop_path0()
        sys.argv = self.argv
        main = sys.modules["__main__"] = _fresh_main()
        self.namespace = vars(main)
        try:
            if self.kind == "-c":
                self._load_command()
            elif self.kind == "-":
                self._load_stdin()
            elif self.kind == "file":
                self._load_file(python_words)
            elif directory := _current_directory():
                _set_path0(directory)
        except BaseException as error:
            _hide_launcher(error)
            raise

    def prepare(self) -> None:
        """Filter, begin to record, wait for a tracer: what is wanted. Raises UserError when no
        tracer comes in time, or the recording cannot be written."""
        if self.options.output or self.options.only or self.options.exclude or is_recorded():
            from pyusdt.launch import child_processes

            child_processes.begin(self.options)
        self._hold()
        if self.options.kernel:
            from pyusdt.launch import kernel_account

            kernel_account.follow()

    def _hold(self) -> None:
        if self.code is None and self._is_missing():
            return
        if self.options.holder is not None:
            _wait_for(self.options.holder)
        if not self.options.hold_seconds:
            return
        print_line(_invitation())
        seconds = self.options.hold_seconds
        timeout = None if seconds == FOREVER else seconds
        if not libpyusdt.wait(timeout):
            raise UserError(f"no tracer came within {timeout:g} seconds; the program was not run")

    def _is_missing(self) -> bool:
        """Whether runpy will find nothing to run."""
        try:
            if self.kind == "-m":
                return find_spec(self.target.partition(".")[0]) is None
            return PathFinder.find_spec("__main__", sys.path[:1]) is None
        except (ImportError, ValueError):
            return True

    def execute(self) -> None:
        """Start the core and run the program."""
        try:
            if self.code is None:
                _run_module(self.target, self.kind == "-m")
            else:
                libpyusdt.start()
                exec(self.code, self.namespace)
        except BaseException as error:
            if isinstance(error, SystemExit) and sys.version_info >= (3, 14):
                self._forget_file()  # as python does from 3.14
            _hide_launcher(error, self._forget_file)
            raise
        self._forget_file()

    def _load_command(self) -> None:
        source = self.target
        if sys.version_info >= (3, 14):
            from textwrap import dedent

            source = dedent(source)  # as python does from 3.14
        _set_path0("")
        self.code = compile(source, "<string>", "exec", dont_inherit=True)
        _keep_source(self.code, source)

    def _load_stdin(self) -> None:
        _set_path0("")
        self.code = compile(sys.stdin.buffer.read(), "<stdin>", "exec", dont_inherit=True)
        self._set_file("<stdin>")

    def _load_file(self, python_words: list[str]) -> None:
        path, directory = self.target, _current_directory()
        if directory and not os.path.isabs(path):
            path = f"{directory}/{path}"  # not normalised: python does not
        if _has_importer(path):
            self.target = "__main__"
            _set_path0(path, always=True)
            return
        try:
            self.code, loader = _read_code(path)
        except Exception as error:
            # A pipe cannot be read twice, so we report what is wrong with a source from there.
            if isinstance(error, OSError) or os.path.isfile(path):
                _let_python_refuse([*python_words, *self.words])
            raise
        _set_path0(os.path.dirname(os.path.realpath(path)))
        self._set_file(path)
        self.namespace["__loader__"] = loader("__main__", path)

    def _set_file(self, path: str) -> None:
        """Set the attributes of __main__ that name its file."""
        self.namespace["__file__"] = path
        if "__cached__" in globals():  # until 3.14
            self.namespace["__cached__"] = None

    def _forget_file(self) -> None:
        """Take back what only is there while python runs a file itself: not at exit, or with -i."""
        if self.code is not None:
            self.namespace.pop("__file__", None)
            self.namespace.pop("__cached__", None)


def _wait_for(holder: int) -> None:
    """Report to the holder that the probes are there, and wait for its answer. Raises UserError."""
    os.write(holder, b"held\n")
    word = os.read(holder, 1)
    os.close(holder)
    if not word:
        raise UserError("the tracer that held this program has ended; the program was not run")


def _fresh_main() -> ModuleType:
    """Return a module __main__ as Python makes it before it knows what to run."""
    main = ModuleType("__main__")
    main.__loader__ = BuiltinImporter
    if "__annotations__" in vars(sys.modules["__main__"]):  # until 3.13
        main.__annotations__ = {}
    vars(main)["__builtins__"] = builtins
    return main


def _current_directory() -> str | None:
    """Return the current directory, or None if it has been removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def _drop_path0() -> None:
    """Remove what Python has put first in sys.path for us, the launcher."""
    by_option = sys.modules["__main__"].__spec__ is not None  # python -m, not the script
    if not sys.flags.safe_path and not (by_option and _current_directory() is None):
        del sys.path[0]


def _set_path0(entry: str, always: bool = False) -> None:
    """Put the program's own entry first in sys.path; of -P, only archives take no notice."""
    if always or not sys.flags.safe_path:
        sys.path.insert(0, entry)


def _has_importer(path: str) -> bool:
    """Whether `path` is a directory or an archive, in which runpy finds __main__."""
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


def _read_code(path: str) -> tuple[CodeType, type[SourceFileLoader | SourcelessFileLoader]]:
    """Compile the source at `path`, or load its bytecode; return it with its kind of loader."""
    with io.open_code(path) as file:
        content = file.read()
    if not path.endswith(".pyc") and content[:2] != MAGIC_NUMBER[:2]:
        return compile(content, path, "exec", dont_inherit=True), SourceFileLoader
    if content[:4] != MAGIC_NUMBER:
        raise ImportError(f"bad magic number in {path!r}")
    return marshal.loads(content[16:]), SourcelessFileLoader


def _python_words() -> list[str]:
    """Return the command line's beginning that is Python's own: its name and its options."""
    words, ours = sys.orig_argv[: -len(sys.argv)], sys.orig_argv[-len(sys.argv)]
    if ours == "pyusdt":  # python -u -m pyusdt, or python -um pyusdt
        words.append(words.pop()[:-1])
    elif ours.startswith("-"):  # python -umpyusdt
        words.append(ours.removesuffix("mpyusdt"))
    return words if words[-1] != "-" else words[:-1]


def _let_python_refuse(command: list[str]) -> None:
    """Become plain `python`, which is about to refuse this program.

    Its messages and its exit code are those that users know, and only its own parser reports errors
    in a source as it does. Returns where it is not known what was started as python.
    """
    if sys.executable:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, command)


def _keep_source(code: CodeType, source: str) -> None:
    """Let tracebacks show the lines of a -c program, as python does from 3.13."""
    if sys.version_info >= (3, 13):
        import linecache

        by_code = hasattr(linecache, "_interactive_cache")  # from 3.14, else by file name
        register = linecache._register_code  # type: ignore[attr-defined, unused-ignore]
        register(code if by_code else "<string>", source, "<string>")


def _run_module(name: str, is_option: bool) -> None:
    """Let runpy, which is what python uses, run a module, or the __main__ of sys.path[0].

    The core starts when runpy comes to the program: to its package's __init__, or else its code.
    """
    import runpy

    def starting[**P, T](builtin: Callable[P, T]) -> Callable[P, T]:
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            for seam in seams:
                delattr(runpy, seam)
            libpyusdt.start()
            return builtin(*args, **kwargs)

        return call

    seams = {"exec": starting(exec), "__import__": starting(__import__)}
    vars(runpy).update(seams)
    runpy._run_module_as_main(name, alter_argv=is_option)  # type: ignore[attr-defined]


def _invitation() -> str:
    """Return the line that shows how to attach to this process while it waits."""
    from shlex import quote

    from pyusdt.library import library_path

    pid = os.getpid()
    library = f"/proc/{pid}/root{library_path()}"
    example = quote(f"usdt:{library}:pyusdt:PY_START {{ @[str(arg0)] = count(); }}")
    return f"process {pid} waits for a tracer, such as: bpftrace -p {pid} -e {example}"


def _hide_launcher(error: BaseException, finish: Callable[[], None] = lambda: None) -> None:
    """Make sys.excepthook see `error` as it is when python itself has run the program.

    Python calls the hook when the error has left our frames, and so has them in its traceback: a
    hook of ours, for this one call, takes them out and calls the program's, and then `finish`.
    """
    if isinstance(error, SystemExit) and not sys.flags.inspect:
        return  # not shown
    program_hook = sys.excepthook
    traceback = _without_launcher(error.__traceback__)

    def hook(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        sys.excepthook = program_hook
        error.__traceback__ = sys.last_traceback = traceback
        try:
            program_hook(kind, error, traceback)
        except Exception as failure:
            _report_failed_hook(failure, error)
        finish()

    sys.excepthook = hook


def _without_launcher(traceback: TracebackType | None) -> TracebackType | None:
    """Return `traceback` from the program's first entry on: ours, and none between runpy's."""

    def ours(entry: TracebackType | None) -> bool:
        return entry is not None and entry.tb_frame.f_code.co_filename == __file__

    def runpys(entry: TracebackType) -> bool:
        # Its file has another name where it is not frozen: -X frozen_modules=off, debug builds.
        return "runpy" in sys.modules and entry.tb_frame.f_globals is vars(sys.modules["runpy"])

    while traceback is not None and ours(traceback):
        traceback = traceback.tb_next
    entry = traceback
    while entry is not None and runpys(entry):
        while entry.tb_next is not None and ours(entry.tb_next):
            entry.tb_next = entry.tb_next.tb_next
        entry = entry.tb_next
    return traceback


def _report_failed_hook(failure: BaseException, error: BaseException) -> None:
    """Report that the program's sys.excepthook has failed, in the words of python."""
    if failure.__traceback__ is not None:
        failure.__traceback__ = failure.__traceback__.tb_next
    sys.stderr.write("Error in sys.excepthook:\n")
    sys.__excepthook__(type(failure), failure, failure.__traceback__)
    sys.stderr.write("\nOriginal exception was:\n")
    sys.__excepthook__(type(error), error, error.__traceback__)
